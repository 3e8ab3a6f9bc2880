"""The Spanish and Arabic of what customers and staff write in the sample stories."""

TRANSLATIONS = {
    "Everyday credit card": ("Tarjeta de cada día", "بطاقة كل يوم"),
    "Travel credit card": ("Tarjeta de viaje", "بطاقة السفر"),
    "Student credit card": ("Tarjeta de estudiante", "بطاقة الطالب"),
    "Gold credit card": ("Tarjeta oro", "البطاقة الذهبية"),
    "Garage at 14 Alder Street": ("Garaje en 14 Alder Street", "مرآب في 14 Alder Street"),
    "Roof terrace at 3 Canal Row": ("Terraza en 3 Canal Row", "شرفة سطح في 3 Canal Row"),
    "Shop front, 88 Main Street": (
        "Fachada de tienda, 88 Main Street",
        "واجهة متجر، 88 Main Street",
    ),
    "Two-storey extension, 27 Elm Road": (
        "Ampliación de dos plantas, 27 Elm Road",
        "توسعة من طابقين، 27 Elm Road",
    ),
    "Garden house at 9 Lake View": ("Casa de jardín en 9 Lake View", "بيت حديقة في 9 Lake View"),
    "Any news?": ("¿Hay novedades?", "هل هناك جديد؟"),
    "Thank you!": ("¡Muchas gracias!", "شكرًا جزيلًا"),
    "YES": ("SI", "نعم"),
    "No, nothing here yet": ("No, todavía no ha llegado", "لا، لم تصل بعد"),
    "Can you send it to my office instead of home?": (
        "¿Pueden enviarla a mi oficina en vez de a casa?",
        "هل يمكن إرسالها إلى مكتبي بدلًا من البيت؟",
    ),
    "Yes, gladly. It goes to your office.": (
        "Con mucho gusto. La enviamos a su oficina.",
        "بكل سرور. نرسلها إلى مكتبك.",
    ),
    "Do I get the PIN in the same letter?": (
        "¿El PIN viene en la misma carta?",
        "هل يأتي الرقم السري في الرسالة نفسها؟",
    ),
    "No, the PIN comes two days later by itself.": (
        "No, el PIN llega aparte dos días después.",
        "لا، يصل الرقم السري وحده بعد يومين.",
    ),
    "I moved last week, do you have my new address?": (
        "Me mudé la semana pasada, ¿tienen mi nueva dirección?",
        "انتقلت الأسبوع الماضي، هل لديكم عنواني الجديد؟",
    ),
    "We have it now, thank you.": ("Ya la tenemos, gracias.", "لدينا العنوان الآن، شكرًا."),
    "Do you need the drawings on paper as well?": (
        "¿Necesitan también los planos en papel?",
        "هل تحتاجون المخططات على الورق أيضًا؟",
    ),
    "No, the files are all we need.": ("No, con los archivos nos basta.", "لا، تكفينا الملفات."),
    "May I begin with the foundations already?": (
        "¿Puedo empezar ya con los cimientos?",
        "هل يمكنني البدء بالأساسات الآن؟",
    ),
    "Not yet, please: only with the permit.": (
        "Todavía no, por favor: solo con la licencia.",
        "ليس بعد من فضلك: مع الرخصة فقط.",
    ),
    "We call you with the exact day of delivery.": (
        "Le llamamos con la fecha exacta de entrega.",
        "نتصل بك بيوم التسليم بالضبط.",
    ),
    "We send you the reviewer's remarks.": (
        "Le enviamos las notas del revisor.",
        "نرسل إليك ملاحظات المراجع.",
    ),
    "You asked us to deliver after your holiday": (
        "Usted pidió la entrega después de sus vacaciones",
        "طلبت التسليم بعد عطلتك",
    ),
    "The plot is being measured again": ("Se mide el terreno otra vez", "نعيد قياس قطعة الأرض"),
    "Sheet 3 lacks the distance to the boundary; please add it": (
        "En la hoja 3 falta la distancia al lindero; por favor, indíquela",
        "تنقص الصفحة 3 المسافة إلى الحد؛ أضفها من فضلك",
    ),
    "You told us that you no longer need it": (
        "Usted nos dijo que ya no la necesita",
        "أخبرتنا أنك لم تعد بحاجة إليه",
    ),
}
"""By the English text: Spanish and Arabic, for stories of customers who read them."""


def translate(locale: str, english: str) -> str:
    """The text in that language; a text without a translation stays English."""
    spanish, arabic = TRANSLATIONS.get(english, (english, english))
    return {"es": spanish, "ar": arabic}.get(locale, english)
