"""What each rule about a message and the state of its request says, in a sentence."""

STATE_RULES = {
    "L1": "The link or the reference is lost: the link is sent at once.",
    "M4": "Three automatic replies by mail in an hour: a person answers, without a reply.",
    "X1": "REOPEN: the closed request is reopened, and the reply says so.",
    "X2": "The other answer shortly after the last one: a person answers, and says so.",
    "X3": "Thanks, a reaction, NO to the offer, or YES to a completed request: recorded.",
    "X5": "A status question about a closed request: answered.",
    "X6": "Anything else about a closed request: its owner answers, and it is offered to reopen.",
    "O1": "It answers the open question.",
    "O2": "YES to a decision while a question of theirs is open: a person answers that first.",
    "O3": "It could mean two things while a question is open: asked back once.",
    "O4": "The same answer again shortly after: recorded.",
    "O5": "Thanks, or a reaction: recorded.",
    "O6": "A status question while the work is on time: answered.",
    "O7": "A wish for a call: a call is promised.",
    "O8": "Anything else: a person answers.",
    "O9": "The other answer shortly after the last one: a person answers, and says so.",
    "T1": "A phone's own text, a reaction or an automatic answer: recorded.",
    "T2": "A reaction of dislike while a question is open: a person answers, silent.",
    "R1": "A colleague's label: it answers the question, promises a call or tells the status.",
    "S1": "A colleague puts an unknown sender's text on a request: a person answers.",
}
