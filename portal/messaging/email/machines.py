"""Whether a machine wrote an e-mail, by several signs together.

Source: RFC 3834, and what mail programs do before it and beside it. A header that people's mails
carry too (Exchange adds X-Auto-Response-Suppress to mail of a distribution list, a list its
Precedence) is a sign beside others and never alone. Pure; every pattern takes linear time.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum


class Sign(StrEnum):
    """What speaks for a machine."""

    SURE = "sure"  # no person's mail has it
    SUBJECT = "subject"  # it begins like that of an automatic answer
    RECEIPT_SUBJECT = "receipt_subject"
    BULK = "bulk"
    SUPPRESSES = "suppresses"  # it asks others not to answer by themselves
    ROBOT_SENDER = "robot_sender"
    TICKET_SYSTEM = "ticket_system"
    SAYS_MACHINE = "says_machine"
    SAYS_ABSENT = "says_absent"
    SAYS_READ = "says_read"
    REPEATS = "repeats"  # the same words as in their last e-mails


def _pairs(first: Sign, *others: Sign) -> list[frozenset[Sign]]:
    return [frozenset({first, other}) for other in others]


RULES = (
    frozenset({Sign.SURE}),
    *_pairs(Sign.SUBJECT, Sign.BULK, Sign.SUPPRESSES, Sign.ROBOT_SENDER, Sign.TICKET_SYSTEM),
    *_pairs(Sign.SUBJECT, Sign.SAYS_MACHINE, Sign.SAYS_ABSENT, Sign.REPEATS),
    *_pairs(Sign.SAYS_MACHINE, Sign.BULK, Sign.SUPPRESSES, Sign.ROBOT_SENDER, Sign.TICKET_SYSTEM),
    *_pairs(Sign.SAYS_ABSENT, Sign.BULK, Sign.ROBOT_SENDER),
    *_pairs(Sign.REPEATS, Sign.SAYS_MACHINE, Sign.SAYS_ABSENT, Sign.BULK, Sign.ROBOT_SENDER),
    *_pairs(Sign.RECEIPT_SUBJECT, Sign.SAYS_READ),
)
"""A mail is automatic where it has all signs of one of these."""


def is_automatic(signs: Collection[Sign]) -> bool:
    """Whether these signs together show a machine."""
    return any(rule <= set(signs) for rule in RULES)


AUTO_REPLY_HEADERS = (
    "x-autoreply", "x-auto-reply", "x-autorespond", "x-autoresponder", "x-mail-autoreply",
    "x-autoreply-from", "x-vacation", "x-failed-recipients", "x-mdaemon-deliver-autoresponse",
)  # fmt: skip
TICKET_HEADERS = (
    "x-otrs-loop", "x-rt-loop-prevention", "x-zendesk-from-account-id", "x-freshdesk-ticket-id",
    "x-zammad-ticket-id", "x-jira-fingerprint", "x-servicenow-generated", "x-loop",
)  # fmt: skip
ROBOT_SENDER = re.compile(
    r"(?:no-?_?reply|do-?not-?reply|postmaster|auto-?(?:reply|responder?)|notifications?|bounces?"
    r"|mailer|robot|helpdesk|ticket(?:s|ing)?)(?:[+.-][^@]{0,60})?@",
    re.IGNORECASE,
)
DAEMON_SENDER = re.compile(r"(?:mailer|mail|mdaemon)-?daemon@|mdaemon@", re.IGNORECASE)
POSTMASTER = re.compile(r"postmaster@", re.IGNORECASE)
AUTOMATIC_SUBJECT = re.compile(
    r"\W*+(?:auto(?:matic|mated)?[ -]?(?:reply|response|answer)|autoreply"
    r"|(?:respuesta|resposta) autom[aá]tica|autor?respuesta|réponse automatique|automatische antwort"
    r"|risposta automatica|automatisch antwoord|automatyczna odpowiedź|autoodpowiedź|autosvar"
    r"|automatisk[at]? svar|automaattinen vastaus|автоответ|автоматический ответ|otomatik yan[ıi]t"  # noqa: RUF001
    r"|(?:ال)?رد (?:ال)?(?:تلقائي|آلي)|(?:תשובה|מענה) אוטומטי[ת]?|自动回复|自動回覆|自动答复|自動応答"
    r"|自動返信|자동 회신"
    r"|(?:out of|away from) (?:the |my )?office|ooo|on (?:vacation|leave)|vacation (?:reply|notice)"
    r"|fuera de (?:la )?oficina|fora do escritório|ausência|absen(?:t|ce)(?: du bureau)?|message d.absence"
    r"|abwesenheit(?:snotiz)?|abwesend|außer haus|fuori (?:sede|ufficio)|afwezig(?:heid)?|poza biurem"
    r"|frånvaro|вне офиса|ofis d[ıi]ş[ıi]nda|خارج المكتب|מחוץ למשרד|不在)"  # noqa: RUF001
    r"(?:(?P<colon>\s*[:：]\s*\S)|\s*$|\s)",  # noqa: RUF001
    re.IGNORECASE,
)  # fmt: skip
RECEIPT_SUBJECT = re.compile(
    r"\W*+(?:read|not read|read receipt|gelesen|lesebestätigung|leído|confirmación de lectura|lu|accusé de"
    r" lecture|letto|conferma di lettura|lida|gelezen|przeczytano|прочитано|تمت القراءة|إيصال قراءة"
    r"|accepted|declined|tentative|aceptad[oa]|rechazad[oa]|zugesagt|abgesagt|accepté|refusé)\s?:",
    re.IGNORECASE,
)
MACHINE_WORDS = re.compile(
    r"\b(?:this is an auto\w* (?:reply|response|message|e-?mail|notification)"
    r"|(?:auto\w*|system)[- ]generated|do not (?:reply|respond) to this"
    r"|your (?:request|ticket|case|enquiry|inquiry|message|e-?mail) (?:has been|was) (?:received|created|logged"
    r"|opened|registered)|a (?:new )?ticket has been|(?:respuesta|mensaje|correo) automátic[oa]"
    r"|no responda a este|(?:hemos recibido|se ha (?:creado|registrado)) su (?:solicitud|consulta|ticket)"
    r"|automatisch (?:generiert|erstellt|erzeugt|versandt)|nicht auf diese (?:e-?mail|nachricht)"
    r"|(?:message|courriel|réponse) automatique|ne (?:pas répondre|répondez pas) à ce"
    r"|(?:mensagem|resposta|e-?mail) automátic[oa]|não responda a es|(?:messaggio|risposta) automatic[oa]"
    r"|non rispondere a quest|automatisch (?:bericht|gegenereerd)|wiadomość (?:została )?wygenerowana"
    r"|автоматическ\w+ (?:ответ|сообщение)|otomatik (?:olarak|yan[ıi]t))\b"  # noqa: RUF001
    r"|(?:رسالة|رد) (?:تلقائي|آلي)|لا ترد على هذ|自动(?:回复|发送)|自動(?:返信|送信|回覆)",
    re.IGNORECASE,
)
ABSENT_WORDS = re.compile(
    r"\b(?:(?:out of|away from|not in) (?:the |my )?office|on (?:\w+ )?(?:leave|vacation|holiday)"
    r"|limited access to (?:my )?e-?mail|fuera de la oficina|de vacaciones|fora do escritório|de férias"
    r"|absent(?:e)? du bureau|en congés?|(?:im|in) urlaub|nicht im (?:büro|haus)|abwesend|fuori (?:sede|ufficio)"
    r"|in ferie|afwezig|met vakantie|poza biurem|на отпуске|в отпуске|вне офиса|izindeyim|ofis d[ıi]ş[ıi]nda)\b"  # noqa: RUF001
    r"|خارج المكتب|في إجازة|בחופשה|מחוץ למשרד|休暇|不在|休假",
    re.IGNORECASE,
)
READ_WORDS = re.compile(
    r"\b(?:was (?:read|displayed|opened|deleted)|has (?:been read|accepted|declined|tentatively)|wurde .{0,60}gelesen"
    r"|(?:fue|ha sido) leído|se leyó|a été lu|è stato letto|foi lida|ha (?:aceptado|rechazado)|hat .{0,40}sagt"
    r"|a (?:accepté|refusé))\b|تمت قراءة|قبول الدعوة",
    re.IGNORECASE,
)
MAX_WORDS_LENGTH = 2_000
"""Characters of the sender's own words that are looked at: a machine says first what it is."""
MIN_REPEATS = 2


def header_signs(headers: Mapping[str, Sequence[str]], sender: str, subject: str) -> set[Sign]:
    """The signs in the top headers (lower-case names); ``subject`` is decoded."""

    def value(name: str) -> str:
        return ", ".join(headers.get(name, ()))[:MAX_WORDS_LENGTH].strip().lower()

    submitted = value("auto-submitted").partition(";")[0].strip()
    found = AUTOMATIC_SUBJECT.match(subject[:MAX_WORDS_LENGTH])
    precedence = value("precedence")
    present = {
        Sign.SURE: submitted not in ("", "no")
        or value("return-path") == "<>"
        or value("content-type").partition(";")[0].strip() == "multipart/report"
        or precedence == "auto_reply"
        or any(value(name) not in ("", "no", "none", "false", "0") for name in AUTO_REPLY_HEADERS)
        or bool(DAEMON_SENDER.match(sender))
        or (found is not None and found["colon"] is not None),
        Sign.SUBJECT: found is not None,
        Sign.RECEIPT_SUBJECT: bool(RECEIPT_SUBJECT.match(subject)),
        Sign.BULK: precedence in ("bulk", "junk"),
        Sign.SUPPRESSES: bool(value("x-auto-response-suppress")) or precedence == "list",
        Sign.ROBOT_SENDER: bool(ROBOT_SENDER.match(sender)),
        Sign.TICKET_SYSTEM: any(value(name) for name in TICKET_HEADERS),
    }
    return {sign for sign, is_present in present.items() if is_present}


def word_signs(words: str, earlier: Sequence[str]) -> set[Sign]:
    """The signs in the sender's own words; ``earlier`` is what they wrote before."""
    said = words[:MAX_WORDS_LENGTH]
    repeats = sum(
        bool(said) and " ".join(text.split()) == " ".join(words.split()) for text in earlier
    )
    present = {
        Sign.SAYS_MACHINE: bool(MACHINE_WORDS.search(said)),
        Sign.SAYS_ABSENT: bool(ABSENT_WORDS.search(said)),
        Sign.SAYS_READ: bool(READ_WORDS.search(said)),
        Sign.REPEATS: repeats >= MIN_REPEATS,
    }
    return {sign for sign, is_present in present.items() if is_present}
