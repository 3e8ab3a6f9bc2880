"""The desk: the pages of staff, and their routes."""

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from portal.desk.account.endpoints import (
    change_own_password,
    show_account,
    sign_out_everywhere,
)
from portal.desk.account.photo import remove_own_photo, show_own_photo, upload_photo
from portal.desk.auth.access import allow_anonymous, require_staff
from portal.desk.auth.invitation import accept_invitation, show_invitation
from portal.desk.auth.sign_in import show_sign_in, sign_in, sign_out
from portal.desk.board.endpoints import search, show_board
from portal.desk.canned_replies import edit_canned_reply, show_canned_replies
from portal.desk.dropped_balls.endpoints import (
    dismiss_dropped_ball,
    settle_same_person,
    show_dropped_balls,
)
from portal.desk.failed_messages.endpoints import (
    resolve_failed_message,
    retry_failed_messages,
    show_failed_message,
    show_failed_messages,
)
from portal.desk.inbox.endpoints import DeskEventStream, handle_unknown_sender, show_inbox
from portal.desk.keyboard_shortcuts import show_shortcuts, toggle_shortcuts
from portal.desk.personal_data import (
    act_on_person_request,
    find_or_record,
    show_personal_data,
)
from portal.desk.request.conversation.attachments import show_file
from portal.desk.request.documents import upload_document
from portal.desk.request.endpoints import (
    RequestEventStream,
    act_on_request,
    open_new,
    show_new_request_form,
    show_request,
)
from portal.desk.request.presence import update_presence
from portal.desk.request.printable_link import show_printable_link
from portal.desk.request.promises import preview_promise
from portal.desk.staff import record_absence, show_staff
from portal.web.body_limit import BodyLimit
from portal.web.upload_limit import UploadLimit

SIGN_IN_LIMIT = Middleware(BodyLimit, max_bytes=16_000)
"""The limit of a form from a person without a sign-in."""

# fmt: off
routes: list[BaseRoute] = [
    Route("/desk",                                   require_staff(show_board)),
    Route("/desk/search",                            require_staff(search)),
    Route("/desk/sign-in",                           allow_anonymous(show_sign_in)),
    Route("/desk/sign-in",                           allow_anonymous(sign_in), methods=["POST"], middleware=[SIGN_IN_LIMIT]),
    Route("/desk/sign-out",                          require_staff(sign_out), methods=["POST"]),
    Route("/desk/invitations/{token}",               allow_anonymous(show_invitation)),
    Route("/desk/invitations/{token}",               allow_anonymous(accept_invitation), methods=["POST"], middleware=[SIGN_IN_LIMIT]),
    Route("/desk/account",                           require_staff(show_account)),
    Route("/desk/account/password",                  require_staff(change_own_password), methods=["POST"]),
    Route("/desk/account/photo",                     require_staff(show_own_photo)),
    Route("/desk/account/photo",                     require_staff(upload_photo, max_files=1), methods=["POST"], middleware=[Middleware(UploadLimit)]),
    Route("/desk/account/photo/remove",              require_staff(remove_own_photo), methods=["POST"]),
    Route("/desk/account/sign-out",                  require_staff(sign_out_everywhere), methods=["POST"]),
    Route("/desk/inbox",                             require_staff(show_inbox)),
    Route("/desk/inbox/{id}/{verb}",                 require_staff(handle_unknown_sender), methods=["POST"]),
    Route("/desk/live",                              DeskEventStream(), methods=["GET"]),
    Route("/desk/keys",                              require_staff(show_shortcuts)),
    Route("/desk/keys",                              require_staff(toggle_shortcuts), methods=["POST"]),
    Route("/desk/people",                            require_staff(show_staff)),
    Route("/desk/people/{id}/{verb}",                require_staff(record_absence), methods=["POST"]),
    Route("/desk/personal-data",                     require_staff(show_personal_data)),
    Route("/desk/personal-data",                     require_staff(find_or_record), methods=["POST"]),
    Route("/desk/personal-data/{id}/{verb}",         require_staff(act_on_person_request), methods=["POST"]),
    Route("/desk/replies",                           require_staff(show_canned_replies)),
    Route("/desk/replies",                           require_staff(edit_canned_reply), methods=["POST"]),
    Route("/desk/replies/{id}/{verb}",               require_staff(edit_canned_reply), methods=["POST"]),
    Route("/desk/files/{id}",                        require_staff(show_file)),
    Route("/desk/balls",                             require_staff(show_dropped_balls)),
    Route("/desk/balls/{id}/dismiss",                require_staff(dismiss_dropped_ball), methods=["POST"]),
    Route("/desk/balls/{id}/same-person",            require_staff(settle_same_person), methods=["POST"]),
    Route("/desk/messages",                          require_staff(show_failed_messages)),
    Route("/desk/messages",                          require_staff(retry_failed_messages), methods=["POST"]),
    Route("/desk/messages/{id}",                     require_staff(show_failed_message)),
    Route("/desk/messages/{id}/{verb}",              require_staff(resolve_failed_message), methods=["POST"]),
    Route("/desk/requests/new",                      require_staff(show_new_request_form)),
    Route("/desk/requests/new",                      require_staff(open_new), methods=["POST"]),
    Route("/desk/requests/{reference}",              require_staff(show_request)),
    Route("/desk/requests/{reference}/live",         RequestEventStream(), methods=["GET"]),
    Route("/desk/requests/{reference}/slip",         require_staff(show_printable_link)),
    Route("/desk/requests/{reference}/presence",     require_staff(update_presence), methods=["POST"]),
    Route("/desk/requests/{reference}/documents",    require_staff(upload_document, max_files=1), methods=["POST"], middleware=[Middleware(UploadLimit)]),
    Route("/desk/requests/{reference}/promises/preview", require_staff(preview_promise), methods=["POST"]),
    Route("/desk/requests/{reference}/{verb:path}",  require_staff(act_on_request), methods=["POST"]),
]
# fmt: on
