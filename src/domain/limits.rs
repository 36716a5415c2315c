//! The limits that the public API promises. Each is tested at its edge.

use chrono::TimeDelta;

/// Characters (Unicode scalar values) of a message's text.
pub const TEXT: usize = 2_000;
/// Characters of a name: of a room, user, visitor, chat or session.
pub const NAME: usize = 200;
/// Characters of the detail of a chat.
pub const DETAIL: usize = 1_000;
/// Characters of the reason for a rejection or an end.
pub const REASON: usize = 1_000;
/// Characters of an `externalId` or a `requestId`.
pub const EXTERNAL_ID: usize = 128;
/// Attributes of a visitor.
pub const ATTRIBUTES: usize = 50;
/// Tags of a chat.
pub const TAGS: usize = 50;
/// Characters of a tag.
pub const TAG: usize = 64;
/// Participants of a chat or a session.
pub const PARTICIPANTS: usize = 100;
/// Nodes of a page, unless asked for otherwise.
pub const PAGE_DEFAULT: u32 = 25;
/// Nodes of a page at most, and ids of one `nodes` query.
pub const PAGE_MAX: u32 = 100;
/// Characters of what is searched for.
pub const QUERY: usize = 200;
/// The `totalCount` of a search stops counting here.
pub const HITS_COUNTED: u64 = 1_000;
/// `unreadCount` stops counting here.
pub const UNREAD_MAX: u64 = 100;
/// Seconds that a session rings: least, unless asked for otherwise, most.
pub const RING_SECONDS: (i32, i32, i32) = (5, 45, 180);
/// Seconds that a token lives: least, unless asked for otherwise, most (a year).
pub const TOKEN_SECONDS: (i32, i32, i32) = (60, 3_600, 31_536_000);
/// Characters of a page's address.
pub const PAGE_URL: usize = 2_048;
/// Minutes for which a room's chats can be resumed: least (never), unless asked for otherwise, most (a week).
pub const RESUME_MINUTES: (i32, i32, i32) = (0, 30, 10_080);
/// Minutes after which a room's idle chats end: least and unless asked for otherwise (never), most (30 days).
pub const IDLE_MINUTES: (i32, i32) = (0, 43_200);
/// Recent chats that are looked through for one to resume, the most active first.
pub const RESUMABLE: u64 = 20;
/// Seconds that the token of a visitor lives who signed in by a widget.
pub const VISITOR_TOKEN_SECONDS: i64 = 900;
/// Seconds that a refresh token lives (30 days), and within which a token can be renewed without one.
pub const REFRESH_SECONDS: i64 = 2_592_000;
/// Seconds for which a refresh token that was used is taken again: two tabs use the same one, and answers get lost.
pub const REFRESH_GRACE_SECONDS: i64 = 60;
/// Seconds that an identity token may still live.
pub const IDENTITY_SECONDS: i64 = 3_600;
/// Seconds that the clock of whoever signs identity tokens may differ from the server's, in either direction.
pub const IDENTITY_LEEWAY_SECONDS: i64 = 60;
/// Characters of a refresh token or an identity token.
pub const SECRET_TOKEN: usize = 8_000;
/// Tags of a filter.
pub const FILTER_TAGS: usize = 10;
/// Participants of a filter.
pub const FILTER_PARTICIPANTS: usize = 10;
/// Rooms that one `viewerEvents` follows.
pub const FOLLOWED_ROOMS: usize = 100;
/// Sessions that `Viewer.openSessions` lists, newest first.
pub const OPEN_SESSIONS: u64 = 100;
/// Minutes for which a sender may edit and delete a message: least, unless asked for otherwise, most (a year).
pub const EDIT_WINDOW_MINUTES: (i32, i32, i32) = (0, 15, 525_600);
/// Times that a message can be edited.
pub const EDITS: i32 = 50;
/// Products in a shopping cart at a time.
pub const PRODUCTS: usize = 200;
/// Products that were ever in a shopping cart, those that were taken out included.
pub const PRODUCTS_EVER: usize = 1_000;
/// Pieces of a product in a shopping cart.
pub const QUANTITY: i32 = 1_000_000;
/// The largest price, in the currency's own unit.
pub const MONEY: i64 = 999_999_999_999;
/// Decimals of a price: some shops price in hundredths of a cent.
pub const MONEY_DECIMALS: u32 = 4;
/// Unicode scalar values of an emoji; the longest that there are have ten.
pub const EMOJI: usize = 16;
/// Different emojis under a message.
pub const EMOJIS: usize = 20;
/// Webhooks of an organization: each event is one row more for each that wants it.
pub const WEBHOOKS: u64 = 20;
/// Characters of a webhook's URL.
pub const WEBHOOK_URL: usize = 2_000;
/// Rooms for members only in an organization: authentication reads those that are closed to the caller.
pub const CLOSED_ROOMS: u64 = 500;
/// Users that are added to a room, or removed from it, in one call.
pub const MEMBERS: usize = 100;
/// A user counts as online for this long after they were last heard from.
pub const ONLINE: TimeDelta = TimeDelta::seconds(60);
/// Sites whose pages may use a room's widget key.
pub const ORIGINS: usize = 20;
/// Bytes of an origin: the longest name of a host, and a port.
pub const ORIGIN: usize = 270;
/// Characters of a webhook's API key or API secret: each is one header.
pub const WEBHOOK_KEY: usize = 500;
/// Attachments of a message.
pub const ATTACHMENTS: usize = 10;
/// Characters of a link's URL.
pub const LINK: usize = 2_048;
/// Characters of the address of a contact: as long as an e-mail address may be.
pub const ADDRESS: usize = 320;
/// Characters of a media type (RFC 6838 section 4.2: 127 on each side of the slash).
pub const MEDIA_TYPE: usize = 255;
/// Bytes of a file, unless the deployment says otherwise.
pub const FILE_BYTES: u64 = 25 * 1024 * 1024;
/// Bytes of a file that is looked at as an image: what is larger is sent as `application/octet-stream`.
pub const IMAGE_BYTES: u64 = 25 * 1024 * 1024;
/// Pixels of an image: 256 MiB while it is looked at.
pub const IMAGE_PIXELS: u64 = 64 * 1024 * 1024;
/// Pixels of an image's width, and of its height.
pub const IMAGE_SIDE: u32 = 30_000;
/// Pixels of the longer side of a preview.
pub const PREVIEW_SIDE: u32 = 320;
/// Uploads of one actor that no message has yet.
pub const UNSENT_UPLOADS: u64 = 100;
