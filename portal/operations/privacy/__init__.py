"""What becomes of the data of a person: export, erasure, and how long anything is kept."""
