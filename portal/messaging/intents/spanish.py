"""The Spanish table of replies; letters are plain here: "llego" stands for "llegó" as well."""

from portal.messaging.intents.patterns import IntentKind, LanguageRules, compile_pattern

WORD_LISTS = {
    "yes": "si sii siii sip yes yep claro claro_que_si correcto exacto afirmativo asi_es de_acuerdo"
    " desde_luego por_supuesto",
    "no": "no noo nooo nop nel negativo",
    "polite": "por_favor porfa porfavor pls ya ok hola buenas buenos tardes dias noches gracias"
    " senor senora senorita pues ay",
    "textos": "mensajes mensaje textos texto sms notificaciones avisos",
    "bien": "ok okey okay oki vale bueno bien muy_bien perfecto excelente genial super entendido"
    " enterado enterada listo que_bien que_bueno todo_bien esta_bien esta",
    "gracias": "gracias grasias graciass thanks",
    "thing": "solicitud pedido tarjeta cita reparacion permiso orden cuenta",
    "it": "la lo el mi tarjeta pedido paquete telefono todo todos",
    "came": "llego llegado recibido recibida recibidos recivido recibi tengo aqui",
    "bad": "rota roto danada danado equivocada equivocado doblada doblado quebrada quebrado"
    " no_funciona no_sirve otro_nombre mal_escrito abierta incompleta falta",
    "day": "hoy manana pasado_manana lunes martes miercoles jueves viernes sabado domingo mediodia"
    " medio_dia esta_noche tarde noche temprano entre_semana",
    "month": "enero febrero marzo abril mayo junio julio agosto septiembre setiembre octubre"
    " noviembre diciembre",
    "clock": r"\d{1,2}(?:am|pm|h) \d{1,2}_(?:am|pm) \d{1,2}_\d{1,2}(?:_?(?:am|pm))?"
    r" (?:a_)?las?_\d{1,2}",
    "link": "el la las los a al de del por en proximo proxima este esta entre y despues antes"
    r" cualquier dia como media cuarto am pm o semana \d{1,4}",
    "time": r"<day> <clock> <month> \d{1,2}_de_<month> el_(?:dia_)?\d{1,2}",
    "suggest": "si ok vale hola puede_ser podria_ser que_tal mejor seria bueno",
    "suits": "esta bien me viene queda perfecto por favor porfa gracias puedo",
}

INTENT_PATTERNS: list[tuple[IntentKind, str]] = [
    # The word is there and the wish is not: a person reads it.
    (
        IntentKind.OTHER,
        r"""
        \bno (?:me )?(?:llamen?|llames|marquen?)\b
        \bno (?:dejen?|paren?)\b
        ^si no$
        ^si y no$
        """,
    ),
    (
        IntentKind.REOPEN,
        r"""^(?:<polite> )*+(?:reabrir|reabran?|abrir de nuevo|reopen)(?: <polite>)*+$""",
    ),
    (
        IntentKind.START,
        r"""
        ^(?:<polite> )*+(?:comenzar|empezar|reanudar)(?: (?:otra vez|de nuevo|<polite>))*+$
        \b(?:vuelvan a|empiecen a) (?:\w+ )?<textos>\b
        \bvuelvan a (?:mandarme|enviarme)\b
        \b(?:quiero|deseo) recibir (?:los |sus )?<textos>(?: (?:otra vez|de nuevo))?$
        \b(?:manden?me|envien?me) <textos> (?:de nuevo|otra vez)\b
        \breactivar (?:los )?<textos>\b
        """,
    ),
    (
        IntentKind.HELP,
        r"""
        ^(?:<polite> )*+(?:necesito )?(?:ayuda|informacion|auxilio)(?: <polite>)*+$
        ^(?:<polite> )*+(?:de )?quien (?:es|eres|habla)(?: (?:usted|este numero|esto))?$
        ^de quien es este numero$
        """,
    ),
    (
        IntentKind.THANKS,
        r"""
        ^(?:de nada|no hay (?:problema|prisa)|no pasa nada|sin problema|no se preocupen?|por nada)(?: <gracias>)?$
        """,
    ),
    (
        IntentKind.NO,
        r"""
        ^(?:<polite> )*+<no>(?: (?:<gracias>|senor|senora))?$
        ^(?:<polite> )*+<no> (?:todavia|aun|quiero|ha|he|me|la|lo|llego|recibi|sigo|no)\b
        ^(?:todavia|aun) (?:no|nada)\b
        ^nada(?: (?:aun|todavia|<gracias>))*+$
        ^para nada$
        ^mejor no$
        \bno (?:me |lo |la |los |te |nos )?(?:ha|he|han) (?:llegado|recibido)\b
        \bno (?:me |lo |la |nos )?(?:llego|llega|recibi|llegaron)\b
        \bnunca (?:me |lo |la |nos )?(?:llego|recibi|vino)\b
        ^(?:<polite> )*+no (?:lo|la) hagan?$
        \b(?:todavia|aun) no (?:me )?(?:llega|ha llegado|llego)\b
        \b(?:sigue|sigo) sin (?:llegar|recibir\w*|nada)\b
        ^no esta aqui$
        ^(?!<yes>\b)(?:\w+ ){0,4}(?:llego|recibi|tengo)\b.* (?:<bad>)\b
        ^(?!<yes>\b)(?:\w+ ){0,4}(?:llego|recibi|tengo) (?:<bad>)\b
        """,
    ),
    (
        IntentKind.CALL_ME,
        r"""
        \b(?:llamame|llamenme|llameme|marcame|marqueme|marquenme|llaman|me llaman)\b
        \b(?:me|alguien) (?:me )?(?:pueden?|podrian?|puede) (?:por favor )?(?:llamar|marcar)\b
        \b(?:pueden?|podrian?) (?:llamar|marcar)me\b
        \bque (?:alguien )?me (?:llamen?|marquen?)\b
        \bhablar con (?:alguien|una persona|un agente|un representante)\b
        ^(?:una llamada|quiero una llamada)(?: <polite>)*+$
        """,
    ),
    (
        IntentKind.STATUS,
        r"""
        ^(?:<polite> )*+(?:estado|estatus|status|novedades|noticias|rastreo)(?: <polite>)*+$
        \b(?:donde|dnd) (?:esta|anda|va|estan)\b(?! (?:ubicad|su |la oficina))
        \bpor donde va\b
        \ben que (?:va|estado|etapa)\b
        \b(?:cual es el|el) (?:estado|estatus)\b
        \b(?:alguna|hay|que) (?:\w+ )?(?:novedad|novedades|noticia|noticias)\b
        \bque (?:paso|pasa|ha pasado)(?: con| ha)?\b
        ^(?:<polite> )*+(?:cuando|cdo|para cuando)$
        \b(?:cuando|cdo) (?:me |la |lo )?(?:llega|llegara|llegan|va a|viene|mandan?|envian?|estara|estaria|esta|salen?)\b
        \bcuanto (?:falta|tarda|se tarda|va a tardar|tiempo mas|tiempo)\b
        \bpor ?que tardan? tanto\b
        ^(?:ya )?(?:esta|estan) (?:lista|listo|listos)(?: mi \w+)?$
        ^ya (?:la |lo )?(?:mandaron|enviaron|salio|viene)(?: mi \w+)?$
        ^(?:<polite> )*+(?:todavia )?(?:sigo|estoy) esperando\b
        ^todavia espero\b
        ^quien tiene mi\b
        ^que sigue$
        \bsiguiente paso\b
        """,
    ),
    (
        IntentKind.TIME,
        r"""
        ^(?:<suggest> )*+(?:(?!<time>)<link> )*+<time>(?: (?:<link>|<day>|<clock>|<month>))*+(?: <suits>)*+$
        """,
    ),
    (
        IntentKind.YES,
        r"""
        ^(?:<polite> )*+<yes>(?: (?:<yes>|<polite>|<it>|<came>|<gracias>|<bien>|me|adelante|hoy|ayer|esta|manana|en|por|fin|que|senor|senora|gracias|bien|el|lunes|martes|miercoles|jueves|viernes|sabado|domingo|tarde|llega|al))*+$
        ^(?:(?!(?:la tengo|lo tengo|esta aqui)\b)(?:<polite>|<bien>|<it>|me|por|fin|ayer|hoy|todo|bien) )*+(?:llego|recibi|recibido|recibida|recivido|(?:la|lo) tengo|(?:esta )?aqui (?:esta|la tengo|lo tengo)|esta aqui)(?: (?:<gracias>|<bien>|<it>|hoy|ayer|esta|manana|tarde|bien|en|por|el|lunes|martes|miercoles|jueves|viernes|sabado|domingo|muchas|correo|aqui))*+$
        ^(?:<bien> )*+(?:adelante|hagalo|haganlo|hagan?lo)(?: <polite>)*+$
        """,
    ),
    (
        IntentKind.THANKS,
        r"""
        ^(?:(?!<gracias>)(?:<bien>|muchas|mil|<polite>) )*+<gracias>\b(?!.*\b(?:pero|aunque|cuando|donde)\b).{0,60}$
        ^(?:(?:se|te|le|les) )*+(?:lo )?agradezco(?: \w+)?$
        ^<bien>(?: (?:<bien>|<gracias>|muchas))*+$
        ^(?:bendiciones|que tengan? (?:un )?buen dia|buen dia|(?:muy )?amables?)(?: <gracias>)*+$
        """,
    ),
]

RULES = tuple((kind, compile_pattern(lines, WORD_LISTS)) for kind, lines in INTENT_PATTERNS)

EXCLUSIONS = {
    IntentKind.YES: compile_pattern(
        r"""
        \b(?:pero|aunque|no|nada|nunca|excepto|menos|todavia|aun|sin)\b
        \b(?:<bad>|mal|problema|duda|pregunta|queja|error)\b
        """,
        WORD_LISTS,
    ),
    IntentKind.NO: compile_pattern(
        r"""
        ^<no> (?:perdon |espera |esperen )*+(?:si|ya)\b
        ^(?>.*\b(?:pero|ya) (?:si |ya ){0,2}(?:llego|la recibi|lo recibi|la tengo|lo tengo)\b)(?!.*\b(?:<bad>)\b)
        ^no (?:se|estoy)\b
        \b(?:si|ojala|espero que|cuando) (?:no )?(?:llega|llegue)\b
        """,
        WORD_LISTS,
    ),
    IntentKind.STATUS: compile_pattern(
        r"""\b(?:ubicad\w+|oficina|sucursal|cuesta|pagar|tarifa|horario)\b""", WORD_LISTS
    ),
    IntentKind.THANKS: compile_pattern(
        r"""\b(?:pero|aunque|todavia|cuando|donde|necesito|mal)\b""", WORD_LISTS
    ),
}

CANCEL_REQUEST_PATTERN = compile_pattern(
    r"""
    \bcancel(?:ar|en|o|e) (?:\w+ ){0,2}<thing>\b
    \bquiero cancelar\b
    """,
    WORD_LISTS,
)

CONTACT_REASONS = (
    (
        "complaint",
        compile_pattern(
            r"""
            \b(?:queja|quejarme|pesimo|mal servicio|colmo|inaceptable|inutiles|no sirven|molesto|harto|harta|verguenza)\b
            \bnadie (?:me |vino|contesta|responde|ha)\b
            \b(?:<bad>)\b
            \bnunca (?:llego|vino|me)\b
            """,
            WORD_LISTS,
        ),
    ),
    (
        "change",
        compile_pattern(
            r"""
            ^(?>.*?\b(?:cambi\w+|correg\w+|actualiz\w+|cancel\w+|agreg\w+|reprogram\w+)\b).*\b(?:direccion|domicilio|nombre|numero|telefono|correo|cita|fecha|hora|entrega|solicitud|pedido|cuenta)\b
            \b(?:me mude|nueva direccion|nuevo numero|mal escrito|no puedo)\b
            """,
            WORD_LISTS,
        ),
    ),
    (
        "question",
        compile_pattern(
            r"""
            ^(?:<polite> )*+(?:como|que|cual|quien|por que|donde|cuando|cuanto|cuantos|puedo|pueden|puede|hay|abren|trabajan|necesitan|a que|a quien)\b
            \b(?:pregunta|duda)\b
            """,
            WORD_LISTS,
        ),
    ),
)

OWN = (
    "que la el los las mi lo de por para con esta muy gracias hola llego favor nada todavia aun"
    " cuando donde como un una se su sus le les hoy manana ayer tarde pero quiero puedo pueden"
    " puede nunca llegado recibido recibida recibi tengo aqui hay estoy usted porfa llamen"
    " llame llamame llamenme martes lunes miercoles jueves viernes sabado domingo claro"
    " adelante senor senora bien todo espero ojala sigue sigo al del preocupe problema es"
    " esto este nos te sin soy alto parar baja detener comenzar empezar ayuda auxilio"
)
"""Words by which a reply is known to be in this language."""

BARE = "si sii siii sip claro no noo nop nel"

SPANISH = LanguageRules(
    language="es",
    exclusive_words=frozenset(OWN.split()),
    rules=RULES,
    exclusions=EXCLUSIONS,
    cancel=CANCEL_REQUEST_PATTERN,
    bare=frozenset(BARE.split()) | {"todavia no", "aun no"},
    reasons=CONTACT_REASONS,
)
