"""Sample values of the fields in each language, with which the length of a text is checked.

They are as long as common values get. English and Spanish must fit one segment even with long
names; Arabic has 70 characters a segment, so its texts may take two, with names of common length.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampleValues:
    """Facts by field. A name of ours and an address are taken to have at least so many letters.

    ``segments`` is what a text may cost.
    """

    facts: dict[str, str]
    brand: int = 20
    origin: int = 25
    segments: int = 1


ENGLISH = SampleValues({
    "first_name": "Anne-Charlotte",
    "owner": "Anne-Charlotte",
    "department": "Planning and Development",
    "title": "Your card is on its way to you",
    "next": "Your card is on its way to you",
    "next_by": "Wed, Nov 26, 11:45 pm",
    "since": "Wed, Nov 26",
    "due": "Wed, Nov 26, 11:45 pm",
    "was": "Wed, Nov 26",
    "question": "Has your card arrived? Reply YES or NO.",
    "promise": "We will call you.",
    "looking": "Anne-Charlotte at Planning and Development is looking into it",
    "ended": "on Wed, Nov 26, 11:45 pm",
    "at": "Wed, Nov 26, 11:45 pm",
    "reason": "The courier needs a day more.",
    "last": "Parcel in Newark.",
    "amount": "$1,249.00",
    "asker": "Anne-Charlotte",
    "item": "Floor plans, PDF",
    "window": "Wed, Nov 26, 8 am to noon",
    "address": "1204 North Elm Street",
    "reference": "CARD-7K4M-2Q9",
    "code": "482913",
    "arrival": "With you by Wed 26 Nov",
    "party": "the landowner",
    "length": "5 weeks",
    "outcome": "Your device is ready to collect. Nothing is charged.",
    "begin": "10:30 pm",
    "end": "10:30 am",
    "host": "requests.acmebank.example",
    "choices": "1 Credit card applicat 12 Nov, 2 Credit card applicat 26 Nov, 3 Repair",
})  # fmt: skip
SPANISH = SampleValues(ENGLISH.facts | {
    "item": "Planos, en PDF",
    "title": "Su tarjeta va de camino a usted",
    "next": "Su tarjeta va de camino a usted",
    "next_by": "el mié 26 nov a las 23:45",
    "since": "el mié 26 nov",
    "was": "el mié 26 nov",
    "due": "el mié 26 nov a las 23:45",
    "question": "¿Ha llegado su tarjeta? Responda SI o NO.",
    "promise": "Le llamamos.",
    "looking": "Anne-Charlotte, de Planning and Development, se ocupa de ello",
    "ended": "el mié 26 nov a las 23:45",
    "at": "el mié 26 nov a las 23:45",
    "arrival": "Con usted como tarde el mié 26 nov",
    "party": "el propietario",
    "length": "5 semanas",
    "outcome": "Puede recoger su aparato, sin arreglar y sin coste.",
    "begin": "22:30",
    "end": "10:30",
    "reason": "Sigue con el mensajero.",
    "last": "Paquete en Newark.",
    "choices": "1 Solicitud de tarjeta 12 nov, 2 Solicitud de tarjeta 26 nov, 3 Reforma",
})  # fmt: skip
ARABIC = SampleValues(ENGLISH.facts | {
    "first_name": "عبدالرحمن",
    "owner": "عبدالرحمن",
    "department": "التخطيط والتطوير",
    "item": "المخططات PDF",
    "asker": "عبدالرحمن",
    "title": "بطاقتك في الطريق إليك",
    "next": "بطاقتك في الطريق إليك",
    "next_by": "الأربعاء 26 نوفمبر، 9 ص",
    "since": "الأربعاء 26 نوفمبر",
    "due": "الأربعاء 26 نوفمبر، 9 ص",
    "was": "الأربعاء 26 نوفمبر",
    "question": "هل وصلت بطاقتك؟ أجب: نعم أو لا.",
    "promise": "سنتصل بك.",
    "looking": "عبدالرحمن من التخطيط والتطوير يتابع الأمر",
    "ended": "الأربعاء 26 نوفمبر، 11:45 م",
    "at": "الأربعاء 26 نوفمبر، 11:45 م",
    "arrival": "تصلك بحلول الأربعاء 26 نوفمبر",
    "party": "مالك الأرض",
    "length": "5 أسابيع",
    "outcome": "جهازك جاهز للاستلام دون إصلاح ودون رسوم.",
    "begin": "10:30 م",
    "end": "10:30 ص",
    "reason": "ما زالت لدى شركة التوصيل.",
    "last": "الطرد في نيوارك.",
    "choices": "\n1 طلب بطاقة CARD-7K4M-2Q9\n2 إصلاح جهاز DEVC-7K4M-2Q9",
}, brand=12, segments=2)  # fmt: skip

VISITS = {
    "en": {
        "day": "on Wed 26 Nov",
        "next": "on Wed 26 Nov",
        "begin": "10:30 am",
        "end": "11:30 am",
        "window": "between 10:30 am and noon on Wed 26 Nov",
        "wish": "on Friday or Saturday after 5",
        "question": "When may our engineer come?",
        "at": "Wed 26 Nov 10 am",
        "notes": "",
        "visit": "Wed 26 Nov, 10 am-noon",
        "place": "your home",
        "hours": "Mon-Fri 9 am-6 pm, Sat 10 am-4 pm",
        "zone": "Los Angeles",
        "choices": "1) Wed 26 Nov, 10 am-noon 2) noon-2 pm 3) Thu 27 Nov, 8-10 am",
    },
    "es": {
        "day": "el mar 26 nov",
        "next": "el mar 26 nov",
        "begin": "10:30",
        "end": "11:30",
        "window": "el mar 26 nov entre las 10:30 y las 12:00",
        "wish": "el viernes por la tarde o el lunes",
        "question": "¿Qué fecha prefiere?",
        "at": "mar 26 nov 10:00",
        "notes": "",
        "visit": "mar 26 nov, 10:00-12:00",
        "place": "su casa",
        "hours": "lun-vie 9:00-18:00, sáb 10:00-16:00",
        "zone": "Los Ángeles",
        "choices": "1) mar 26 nov, 10:00-12:00 2) 12:00-14:00 3) jue 27 nov, 8:00-10:00",
    },
    "ar": {
        "day": "يوم الأربعاء 26 نوفمبر",
        "next": "يوم الأربعاء 26 نوفمبر",
        "begin": "10:30 ص",
        "end": "11:30 ص",
        "window": "يوم الأربعاء 26 نوفمبر بين 10 و12 ص",
        "wish": "غدًا بعد الظهر",
        "question": "متى يناسبك أن يأتي مهندسنا؟",
        "at": "الأربعاء 26 نوفمبر 10 ص",
        "notes": "",
        "visit": "الأربعاء 26 نوفمبر، 10-12 ص",
        "place": "بيتك",
        "hours": "الاثنين-الجمعة 9 ص-6 م",
        "zone": "لوس أنجلوس",
        "choices": "\n1) الأربعاء 26 نوفمبر، 8-10 ص\n2) 10 ص-12 م\n3) الخميس، 8-10 ص",
    },
}
"""Typical values of the texts about visits. A note is added only where it costs nothing."""

SAMPLE_VALUES = {"en": ENGLISH, "es": SPANISH, "ar": ARABIC}


def sample_values(locale: str) -> SampleValues:
    """What is typical for "es-MX"; where we do not speak the language, as in English."""
    return SAMPLE_VALUES.get(locale.replace("_", "-").partition("-")[0].lower(), ENGLISH)
