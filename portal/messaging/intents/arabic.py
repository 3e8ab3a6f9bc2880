# ruff: noqa: RUF001 - Arabic letters are what this file is made of.
"""The Arabic table of replies: few and plain; whatever else is said goes to a person.

Vowel signs and hamzas are left out before words are compared, so that "وصلت" stands for "وَصَلَت"
as well. Words of Egypt, the Levant and the Gulf stand beside the written language's.
"""

import re
import unicodedata
from collections.abc import Mapping

from portal.messaging.intents import patterns
from portal.messaging.intents.patterns import IntentKind, LanguageRules


def compile_pattern(lines: str, lists: Mapping[str, str]) -> re.Pattern[str]:
    """As ``patterns.compile_pattern``, with the letters in the form that replies are compared in."""
    return patterns.compile_pattern(
        _plain(lines), {name: _plain(words) for name, words in lists.items()}
    )


def _plain(words: str) -> str:
    apart = unicodedata.normalize("NFKD", words)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).replace(
        "ى", "ي"
    )


WORD_LISTS = {
    "yes": "نعم ايوه ايوا اجل بلي اكيد طبعا",
    "no": "لا لاء كلا",
    "polite": "من_فضلك من_فضلكم لو_سمحت لو_سمحتم لو_سمحتوا رجاء ارجو مرحبا السلام_عليكم اهلا سلام"
    " شكرا اخي اختي سيدي يا_اخي صباح_الخير مساء_الخير",
    "thanks": "شكرا شكرن مشكور مشكورين مشكورة تسلم تسلمو تسلموا اشكركم اشكرك ممتن",
    "much": "جزيلا كثيرا جدا لك لكم الف جميعا علي مساعدتكم المساعدة اهتمامكم خدمتكم سرعتكم الرد"
    " يعطيكم العافية الله يبارك فيكم فيك وبارك جزاكم خيرا تمام ممتاز رائع",
    "fine": "تمام ممتاز رائع حسنا اوكي اوك ماشي طيب جيد عظيم مفهوم",
    "came": "وصل وصلت وصلني وصلتني وصلتنا وصلنا استلمت استلمتها استلمته استلمناها استلمناه",
    "it": "البطاقة بطاقتي الطلب طلبي الجهاز جهازي هاتفي الشحنة شحنتي الطرد التصريح الرخصة الخط",
    "when_came": "اليوم امس البارحة الان للتو الحمد_لله بسلام بخير صباحا مساء",
    "texts": "الرسائل رسائل رسائلكم رسالة الرساله الاشعارات اشعارات النصوص",
}

INTENT_PATTERNS: list[tuple[IntentKind, str]] = [
    # The word is there and the wish is not: a person reads it.
    (
        IntentKind.OTHER,
        r"""
        \bلا (?:تتصلوا|تتصل|تكلموني|توقفوا|توقف|توقفوها|تلغوا)\b
        ^<yes> <no>\b
        ^<no> <yes>\b
        """,
    ),
    (
        IntentKind.REOPEN,
        r"""^(?:<polite> )*+(?:افتح|افتحوا|افتحه|افتحوه|افتحها|اعد الفتح|اعادة الفتح|اعادة فتح)(?: (?:طلبي|الطلب|من جديد|مرة اخري|<polite>))*+$""",
    ),
    (
        IntentKind.STOP,
        r"""
        ^(?:<polite> )*+(?:توقف|توقفوا|قف|ايقاف|اوقف|اوقفوا|الغاء الاشتراك|الغ الاشتراك|الغوا الاشتراك|الغاء اشتراكي)(?: <polite>)*+$
        \b(?:اوقف|اوقفوا|ايقاف|الغاء|وقفوا) (?:كل |جميع |هذه |هاي |ارسال )*+<texts>\b
        \b(?:لا|ما) (?:ترسل|ترسلوا|تبعثوا|تبعتوا|ترسلون)(?: (?:لي|الي|لنا|اي|هذه|من|مزيدا))*+ (?:<texts>|شيئا|المزيد)(?: (?:لي|منكم|بعد|الان|اليوم|ابدا))*+$
        \b(?:لا|ما) (?:تراسلوني|تراسلني)(?: (?:بعد|الان|ابدا))*+$
        \b(?:لا اريد|لا ارغب في|ما بدي|مش عايز|مش عاوز|ما ابغي|ما ابي|لا اود)(?: (?:استلام|تلقي|ان تصلني|اي|هذه|المزيد|من|مزيد|هاي))*+(?: <texts>)(?: (?:<texts>|من|منكم|بعد|الان|اليوم))*+$
        ^(?:<polite> )*+كفي(?: <texts>)?$
        """,
    ),
    (
        IntentKind.START,
        r"""
        ^(?:<polite> )*+(?:ابدا|ابداوا|استئناف|اشتراك|اشترك)(?: (?:من جديد|مرة اخري|<polite>))*+$
        \b(?:اعيدوا|استانفوا|ابداوا) (?:ارسال )?<texts>\b
        """,
    ),
    (
        IntentKind.HELP,
        r"""
        ^(?:<polite> )*+(?:مساعدة|المساعدة|مساعده|ساعدوني|ساعدني|احتاج مساعدة|احتاج الي مساعدة)(?: <polite>)*+$
        ^(?:<polite> )*+(?:من انتم|من انت|مين انتو|مين معي|من معي)(?: <polite>)*+$
        """,
    ),
    (
        IntentKind.NO,
        r"""
        ^(?:<polite> )*+<no>(?: (?:شكرا|<polite>))*+$
        ^(?:<polite> )*+(?:<no> )?(?:ليس بعد|لسه|لسا|لسة|بعد لا|مش بعد)(?: <polite>)*+$
        ^(?:<polite> )*+(?:<no> )?(?:لم|ما|لسه ما|لسا ما|حتي الان لم|بعدها ما|لم تصل|ما وصل) ?(?:تصل|يصل|تصلني|يصلني|وصل|وصلت|وصلني|وصلتني|استلم|استلمت|استلمها|استلمه|استلمتها|استلمته)(?: (?:<it>|شيء|شي|اي شيء|بعد|حتي الان|الي الان|لحد الان|للان|الان|<polite>))*+$
        ^(?:<no> )?(?:<it> )?(?:لم تصل|لم يصل|ما وصلت|ما وصل|ما وصلتني|لم تصلني)(?: (?:بعد|حتي الان|الي الان|لحد الان))*+$
        ^(?:<no> )?(?:لم يصل|لم يصلني|ما وصلني) (?:شيء|شي|اي شيء)(?: (?:بعد|حتي الان))*+$
        ^(?:<no> )?لا شيء(?: (?:بعد|حتي الان))*+$
        """,
    ),
    (
        IntentKind.CALL_ME,
        r"""
        ^(?:<polite> )*+(?:اتصل|اتصلوا|اتصلو|كلموني|كلمني|خابروني|هاتفوني|رنوا علي)(?: (?:بي|فيي|عليا|علي|الان|اليوم|غدا|بسرعة|<polite>))*+$
        \b(?:اريد|ارجو|احتاج|ممكن|هل يمكنكم|هل يمكن|هل ممكن|ياريت|بدي|عايز|ابغي)(?: (?:ان|احد|احدهم|احدكم|حد))*+ (?:تتصلوا|تتصل|يتصل|الاتصال|اتصال|مكالمة|تكلموني|يكلمني)(?: (?:بي|معي|هاتفي|احد|منكم))*+\b
        \b(?:اريد|ارجو|احتاج)(?: ان)? (?:التحدث|اتحدث|اتكلم|اكلم)(?: (?:مع|الي))? (?:شخص|موظف|احد|احدكم|مسؤول|مسوول)\b
        """,
    ),
    (
        IntentKind.STATUS,
        r"""
        ^(?:<polite> )*+(?:اين|وين|فين) (?:هو |هي |صار |صارت |وصل |وصلت )?(?:<it>)(?: (?:الان|<polite>))*+$
        ^(?:<polite> )*+(?:اين|وين|فين|متي|امتي|ايمتي)(?: <polite>)*+$
        ^(?:<polite> )*+(?:متي|امتي|ايمتي|اي متي) (?:س?(?:تصل|يصل|تصلني|يصلني|تجهز|يجهز|ينتهي|تنتهي)|توصل|يوصل|رح توصل|رح يوصل|هتوصل|هيوصل|موعد وصول)(?: (?:<it>|لي|<polite>))*+$
        ^(?:<polite> )*+(?:ما|شو|ايش|ايه|هل من|هل هناك|هل يوجد|في|فيه|اي) (?:اخر )?(?:اخبار|جديد|الاخبار|الجديد|تحديث|تحديثات|وضع|حالة)(?: (?:عن|حول|علي))?(?: (?:<it>|<polite>))*+$
        ^(?:<polite> )*+(?:حالة|وضع|متابعة) (?:<it>)(?: <polite>)*+$
        ^(?:<polite> )*+(?:الحالة|تحديث|اخبار)(?: <polite>)*+$
        ^(?:<polite> )*+(?:الي اين|لوين|وين) (?:وصل|وصلت|صار|صارت) (?:<it>)$
        ^(?:<polite> )*+كم (?:بقي|باقي|يحتاج|ياخذ)(?: من)?(?: (?:الوقت|وقت))?$
        """,
    ),
    (
        IntentKind.YES,
        r"""
        ^(?:<polite> )*+<yes>(?: (?:<yes>|<polite>|<came>|<it>|<when_came>|<fine>|<thanks>|<much>|تفضلوا|تفضل))*+$
        ^(?:<polite> )*+(?:<it> )?<came>(?: (?:<it>|<when_came>|<thanks>|<much>|<polite>|<fine>))*+$
        ^(?:<polite> )*+(?:موافق|موافقة|اوافق|تفضلوا|تفضل|ابداوا العمل)(?: (?:<thanks>|<polite>|تفضلوا|تفضل))*+$
        """,
    ),
    (
        IntentKind.THANKS,
        r"""
        ^(?:(?!<thanks>)(?:<fine>|<polite>|الف) )*+<thanks>(?: (?:<much>|<thanks>|<fine>|<polite>))*+$
        ^(?:<fine>)(?: (?:<fine>|<thanks>|<much>))*+$
        ^(?:الله يعطيكم العافية|يعطيكم العافية|يعطيك العافية|جزاكم الله خيرا|جزاك الله خيرا|بارك الله فيكم|بارك الله فيك|العفو|لا مشكلة|ولا يهمك|لا شكر علي واجب)(?: <thanks>)*+$
        """,
    ),
]

RULES = tuple((kind, compile_pattern(lines, WORD_LISTS)) for kind, lines in INTENT_PATTERNS)

EXCLUSIONS = {
    # A yes with something wrong is no yes: it would close the request.
    IntentKind.YES: compile_pattern(
        r"""
        \b(?:لكن|ولكن|بس|الا|غير|مشكلة|خطا|سؤال|سوال|اذا|لو)\b
        \b(?:مكسورة?|معطلة?|تالفة?|ناقصة?|لا يعمل|لا تعمل|ما يشتغل|ما بيشتغل)\b
        """,
        WORD_LISTS,
    ),
    IntentKind.NO: compile_pattern(r"\b(?:لكن|ولكن|بس|اعرف|ادري|متاكد)\b", WORD_LISTS),
    IntentKind.THANKS: compile_pattern(
        r"\b(?:لكن|ولكن|بس|متي|اين|وين|كيف|لماذا|ليش)\b", WORD_LISTS
    ),
}

CANCEL_REQUEST_PATTERN = compile_pattern(
    r"""
    \b(?:الغاء|الغ|الغوا|الغي|كنسل|كنسلوا) (?:\w+ )?(?:<it>|الموعد|موعدي|الحجز)\b
    \b(?:اريد|ارغب في|بدي|عايز|ابغي) (?:ان )?(?:الغاء|الغي)\b(?! (?:الاشتراك|اشتراكي|<texts>))
    ^(?:<polite> )*+(?:الغاء|الغ|الغوا)(?: <polite>)*+$
    """,
    WORD_LISTS,
)

CONTACT_REASONS = (
    (
        "complaint",
        compile_pattern(
            r"\b(?:شكوي|اشتكي|سيئة|سيء|سيئ|فضيحة|مهزلة|غير مقبول|لا احد يرد|ما حد بيرد|مستاء|غاضب|زهقت)\b",
            WORD_LISTS,
        ),
    ),
    (
        "change",
        compile_pattern(
            r"\b(?:تغيير|غيروا|اغير|تعديل|تعدلوا|تصحيح) (?:\w+ )?(?:العنوان|عنواني|الاسم|اسمي|الرقم|رقمي|الموعد|موعدي|هاتفي)\b",
            WORD_LISTS,
        ),
    ),
    (
        "question",
        compile_pattern(
            r"^(?:<polite> )*+(?:هل|كيف|كم|من|ماذا|لماذا|ليش|اين|وين|متي)\b", WORD_LISTS
        ),
    ),
)

LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"

ARABIC = LanguageRules(
    language="ar",
    exclusive_words=frozenset(),
    letters=frozenset(LETTERS),
    rules=RULES,
    exclusions=EXCLUSIONS,
    cancel=CANCEL_REQUEST_PATTERN,
    bare=frozenset(f"{WORD_LISTS['yes']} {WORD_LISTS['no']}".split()) | {"ليس بعد"},
    reasons=CONTACT_REASONS,
)
