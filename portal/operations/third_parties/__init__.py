"""What third parties report, such as couriers: recorded, followed, and shown to the customer."""
