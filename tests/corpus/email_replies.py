"""Replies as mail programs send them: the program, the text, and what the person wrote.

In English and Spanish; the words are made up.
"""

QUOTED = "> Hi Martin. Your card is being made.\n> Has it arrived? Reply YES or NO.\n"
OUTLOOK_RULE = "_" * 32

REPLIES = [
    (
        "Gmail",
        (
            "Please ring the bell.\n\nOn Mon, Nov 23, 2026 at 2:05 PM Acme Bank <hello@acme.example>"
            f"\nwrote:\n\n{QUOTED}"
        ),
        "Please ring the bell.",
    ),
    (
        "Gmail, in one line",
        f"Yes\r\n\r\nOn Mon, 23 Nov 2026 at 14:05, Acme <hello@acme.example> wrote:\r\n{QUOTED}",
        "Yes",
    ),
    (
        "Gmail in Spanish",
        (
            "Sí, ya llegó.\n\nEl lun, 23 nov 2026 a las 14:05, Acme Bank (<hello@acme.example>)\n"
            f"escribió:\n\n{QUOTED}"
        ),
        "Sí, ya llegó.",
    ),
    (
        "Apple Mail",
        f"After five.\n\nMartin\n\n> On Nov 23, 2026, at 2:05 PM, Acme Bank wrote:\n> \n{QUOTED}",
        "After five.\n\nMartin",
    ),
    (
        "iPhone",
        f"No\n\nSent from my iPhone\n\nOn 23 Nov 2026, at 14:05, Acme Bank wrote:\n\n{QUOTED}",
        "No",
    ),
    (
        "iPhone in Spanish",
        (
            "No ha llegado.\n\nEnviado desde mi iPhone\n\nEl 23 nov 2026, a las 14:05, Acme Bank"
            f" <hello@acme.example> escribió:\n\n{QUOTED}"
        ),
        "No ha llegado.",
    ),
    (
        "Outlook",
        (
            f"Please ring.\n\n{OUTLOOK_RULE}\nFrom: Acme Bank <hello@acme.example>\n"
            "Sent: Monday, November 23, 2026 2:05 PM\nTo: Martin <m@example.com>\n"
            "Subject: Credit card\n\nHi Martin. Reply YES or NO."
        ),
        "Please ring.",
    ),
    (
        "Outlook without a rule, in bold",
        (
            "Please ring.\n\n*From:* Acme Bank <hello@acme.example>\n*Sent:* Monday\n*To:* Martin\n"
            "*Subject:* Credit card\n\nReply YES or NO."
        ),
        "Please ring.",
    ),
    (
        "Outlook in Spanish",
        (
            f"Llámenme.\n\n{OUTLOOK_RULE}\nDe: Acme <hello@acme.example>\n"
            "Enviado: lunes, 23 de noviembre de 2026 14:05\nPara: Martin\nAsunto: Tarjeta\n\nHola."
        ),
        "Llámenme.",
    ),
    (
        "old Outlook",
        (
            "Thanks!\n\n-----Original Message-----\nFrom: Acme [mailto:hello@acme.example]\n"
            "Sent: Monday\nTo: Martin\nSubject: Card\n\nHi"
        ),
        "Thanks!",
    ),
    (
        "old Outlook in Spanish",
        "Gracias.\n\n----- Mensaje original -----\nDe: Acme\n\nHola",
        "Gracias.",
    ),
    (
        "Outlook for a phone",
        (
            "Yes it came.\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n"
            f"{OUTLOOK_RULE}\nFrom: Acme <hello@acme.example>\nSent: x\nTo: y\nSubject: z\n\nHi"
        ),
        "Yes it came.",
    ),
    (
        "Thunderbird",
        f"On 23/11/2026 14:05, Acme Bank wrote:\n{QUOTED}\nIt came this morning.",
        "It came this morning.",
    ),
    (
        "answers between the lines",
        "> Has it arrived?\nNo.\n> When are you at home?\nAfter five.",
        "No.\nAfter five.",
    ),
    ("a signature", "It is torn.\n\n-- \nMartin Miller\n+1 415 555 0132", "It is torn."),
    ("a signature whose space was lost", "It is torn.\n--\nMartin Miller", "It is torn."),
    (
        "nothing quoted",
        "Please ring.\n\nThe bell is broken.",
        "Please ring.\n\nThe bell is broken.",
    ),
    (
        "a list with hyphens",
        "Two things:\n- ring the bell\n- not before noon\nThanks, Martin",
        "Two things:\n- ring the bell\n- not before noon\nThanks, Martin",
    ),
    (
        "a sentence that begins like a quotation",
        "On Monday I wrote: please ring.\nNobody did.",
        "On Monday I wrote: please ring.\nNobody did.",
    ),
    (
        "a sentence that ends like one",
        "On Monday Pia wrote:\nwe call you back. Nobody called.",
        "On Monday Pia wrote:\nwe call you back. Nobody called.",
    ),
    (
        "sentences like headings",
        "From: here I cannot see it.\nTo: be clear, it is torn.",
        "From: here I cannot see it.\nTo: be clear, it is torn.",
    ),
    (
        "thanks, and more below",
        "Thanks,\nbut the card is torn.\n\nBest regards,\nMartin",
        "Thanks,\nbut the card is torn.\n\nBest regards,\nMartin",
    ),
    ("only our own words", QUOTED, ""),
    ("nothing", "", ""),
]

PAGES = [
    (
        "Gmail",
        (
            '<div dir="ltr">Please ring &amp; wait.<div><br></div><div>Martin</div></div><br>'
            '<div class="gmail_quote"><div class="gmail_attr">On Mon, Nov 23, 2026 Acme wrote:</div>'
            "<blockquote>Reply YES or NO.</blockquote></div>"
        ),
        "Please ring & wait.\n\nMartin",
    ),
    (
        "Outlook",
        (
            "<html><head><style>p {margin:0}</style><!--[if mso]><p>No</p><![endif]--></head><body>"
            '<p class="MsoNormal">Please ring.<o:p></o:p></p><div style="border-top:solid #E1E1E1">'
            "<p><b>From:</b> Acme &lt;hello@acme.example&gt;<br><b>Sent:</b> Monday<br><b>To:</b> M"
            "<br><b>Subject:</b> Card</p></div><p>Reply YES or NO.</p></body></html>"
        ),
        "Please ring.",
    ),
    (
        "Outlook on the web",
        (
            '<div>Yes</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Acme'
            " &lt;hello@acme.example&gt;<br><b>Sent:</b> Monday<br><b>To:</b> M<br><b>Subject:</b> x"
            "</div><div>Reply YES or NO.</div>"
        ),
        "Yes",
    ),
    (
        "Apple Mail",
        (
            "<div>No<br></div><blockquote type=cite><div>On Nov 23, 2026, Acme wrote:</div>"
            "<div>Reply YES</div></blockquote><div>Not yet.</div>"
        ),
        "No\n\nNot yet.",
    ),
    ("a less-than sign", "<p>2 < 3 and <i>so</i> on</p>", "2 < 3 and so on"),
    ("a list", "<ul><li>ring</li><li>wait</li></ul>", "ring\n\nwait"),
]
