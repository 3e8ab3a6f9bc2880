"""The desk: where staff work."""

from starlette.routing import BaseRoute, Route

from portal.desk.auth.access import for_anybody, for_staff
from portal.desk.auth.sign_in import (
    accept_invitation,
    show_invitation,
    show_sign_in,
    sign_in,
    sign_out,
)
from portal.desk.board.endpoints import search, show_board
from portal.desk.canned_replies import keep_reply, show_replies
from portal.desk.dropped_balls.endpoints import set_aside, show_balls
from portal.desk.failed_messages.endpoints import mend, show_lost, show_one
from portal.desk.inbox.endpoints import LiveDesk, see_to_stranger, show_inbox
from portal.desk.keyboard_shortcuts import show_keys, turn_keys
from portal.desk.request.attachments import show_file
from portal.desk.request.endpoints import (
    LiveRequest,
    act_on_request,
    open_new,
    show_new,
    show_request,
)
from portal.desk.request.presence import be_here
from portal.desk.request.printable_link import show_slip
from portal.desk.request.promises import preview_promise
from portal.desk.staff import note_absence, show_people

# fmt: off
routes: list[BaseRoute] = [
    Route("/desk",                                   for_staff(show_board)),
    Route("/desk/search",                            for_staff(search)),
    Route("/desk/sign-in",                           for_anybody(show_sign_in)),
    Route("/desk/sign-in",                           for_anybody(sign_in), methods=["POST"]),
    Route("/desk/sign-out",                          for_staff(sign_out), methods=["POST"]),
    Route("/desk/invitations/{token}",               for_anybody(show_invitation)),
    Route("/desk/invitations/{token}",               for_anybody(accept_invitation), methods=["POST"]),
    Route("/desk/inbox",                             for_staff(show_inbox)),
    Route("/desk/inbox/{id}/{verb}",                 for_staff(see_to_stranger), methods=["POST"]),
    Route("/desk/live",                              LiveDesk(), methods=["GET"]),
    Route("/desk/keys",                              for_staff(show_keys)),
    Route("/desk/keys",                              for_staff(turn_keys), methods=["POST"]),
    Route("/desk/people",                            for_staff(show_people)),
    Route("/desk/people/{id}/{verb}",                for_staff(note_absence), methods=["POST"]),
    Route("/desk/replies",                           for_staff(show_replies)),
    Route("/desk/replies",                           for_staff(keep_reply), methods=["POST"]),
    Route("/desk/replies/{id}/{verb}",               for_staff(keep_reply), methods=["POST"]),
    Route("/desk/files/{id:int}",                    for_staff(show_file)),
    Route("/desk/balls",                             for_staff(show_balls)),
    Route("/desk/balls/{id}/dismiss",                for_staff(set_aside), methods=["POST"]),
    Route("/desk/messages",                          for_staff(show_lost)),
    Route("/desk/messages/{id}",                 for_staff(show_one)),
    Route("/desk/messages/{id}/{verb}",          for_staff(mend), methods=["POST"]),
    Route("/desk/requests/new",                      for_staff(show_new)),
    Route("/desk/requests/new",                      for_staff(open_new), methods=["POST"]),
    Route("/desk/requests/{reference}",              for_staff(show_request)),
    Route("/desk/requests/{reference}/live",         LiveRequest(), methods=["GET"]),
    Route("/desk/requests/{reference}/slip",         for_staff(show_slip)),
    Route("/desk/requests/{reference}/presence",     for_staff(be_here), methods=["POST"]),
    Route("/desk/requests/{reference}/promises/preview", for_staff(preview_promise), methods=["POST"]),
    Route("/desk/requests/{reference}/{verb:path}",  for_staff(act_on_request), methods=["POST"]),
]
# fmt: on
