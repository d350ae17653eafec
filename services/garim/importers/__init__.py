"""Chat exports read as a stream of domain events, which the command line hands to the sdk.

Knows files and nothing else: no gRPC, no sdk, no store. Invariants:

- streaming: memory grows with the people of a room, never with its messages;
- nothing is lost in silence: each line becomes an event or is counted in `Counts`, or the file is refused;
- whoever sends a message is a member at that moment: `Chat.members_at_start`, `Joined` and `Left` say who is
  there, and cover every sender;
- a refusal names the line by its number and never repeats what stands in it.

What an export cannot tell apart stays one: two people who show the same name in KakaoTalk or WhatsApp are
one account here (Telegram gives ids), and a member who quotes the export's own form in a message writes a
line that reads as a message. A picture with a caption is two messages: what was sent, and what was written.

WhatsApp writes dates in the order of the phone's country. A number above 12 tells day from month for the
whole file, else the order in which time goes forwards does; where neither does, a person has to say.
"""

from garim.importers.detect import Format, detect_format
from garim.importers.events import Chat, Counts, Event, Joined, Kind, Left, Member, Message, Renamed
from garim.importers.reader import ChatReader, open_chat
from garim.importers.rosters import read_roster
from garim.importers.secret import SecretBlock, SecretChat, read_secret
from garim.importers.surveys import Survey, survey

__all__ = [
    "Chat",
    "ChatReader",
    "Counts",
    "Event",
    "Format",
    "Joined",
    "Kind",
    "Left",
    "Member",
    "Message",
    "Renamed",
    "SecretBlock",
    "SecretChat",
    "Survey",
    "detect_format",
    "open_chat",
    "read_roster",
    "read_secret",
    "survey",
]
