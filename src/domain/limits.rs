//! The limits of the public API. Each is tested at its boundary.

use chrono::TimeDelta;

/// The maximum number of characters (Unicode scalar values) of a message's text.
pub const TEXT: usize = 2_000;
/// The maximum number of characters of a name: of a room, user, visitor, chat or session.
pub const NAME: usize = 200;
/// The maximum number of characters of a chat's description.
pub const DETAIL: usize = 1_000;
/// The maximum number of characters of the reason for a rejection or an end.
pub const REASON: usize = 1_000;
/// The maximum number of characters of an `externalId` or a `requestId`.
pub const EXTERNAL_ID: usize = 128;
/// The maximum number of attributes of a visitor.
pub const ATTRIBUTES: usize = 50;
/// The maximum number of tags of a chat.
pub const TAGS: usize = 50;
/// The maximum number of characters of a tag.
pub const TAG: usize = 64;
/// The maximum number of participants of a chat or a session.
pub const PARTICIPANTS: usize = 100;
/// The default number of nodes of a page.
pub const PAGE_DEFAULT: u32 = 25;
/// The maximum number of nodes of a page, and of ids of a `nodes` query.
pub const PAGE_MAX: u32 = 100;
/// The maximum number of characters of a search query.
pub const QUERY: usize = 200;
/// The number at which the `totalCount` of a search stops counting.
pub const HITS_COUNTED: u64 = 1_000;
/// The number at which `unreadCount` stops counting.
pub const UNREAD_MAX: u64 = 100;
/// How many seconds a session rings: minimum, default, maximum.
pub const RING_SECONDS: (i32, i32, i32) = (5, 45, 180);
/// The lifetime of a token in seconds: minimum, default, maximum (a year).
pub const TOKEN_SECONDS: (i32, i32, i32) = (60, 3_600, 31_536_000);
/// The maximum number of characters of a page's URL.
pub const PAGE_URL: usize = 2_048;
/// The number of minutes in which a room's chats can be resumed: minimum (never), default, maximum (a week).
pub const RESUME_MINUTES: (i32, i32, i32) = (0, 30, 10_080);
/// The number of minutes after which a room's idle chats end: minimum and default (never), maximum (30 days).
pub const IDLE_MINUTES: (i32, i32) = (0, 43_200);
/// The maximum number of recent chats that are considered for resuming, most recently active first.
pub const RESUMABLE: u64 = 20;
/// The lifetime in seconds of a visitor's token from the widget.
pub const VISITOR_TOKEN_SECONDS: i64 = 900;
/// The lifetime in seconds of a refresh token (30 days). Tokens without one can be renewed for as long.
pub const REFRESH_SECONDS: i64 = 2_592_000;
/// How many seconds a used refresh token is accepted again, because two tabs may share it and responses may
/// be lost.
pub const REFRESH_GRACE_SECONDS: i64 = 60;
/// The maximum remaining lifetime of an identity token, in seconds.
pub const IDENTITY_SECONDS: i64 = 3_600;
/// The allowed clock difference, in seconds, between the server and the signer of identity tokens.
pub const IDENTITY_LEEWAY_SECONDS: i64 = 60;
/// The maximum number of characters of a refresh token or an identity token.
pub const SECRET_TOKEN: usize = 8_000;
/// The maximum number of tags of a filter.
pub const FILTER_TAGS: usize = 10;
/// The maximum number of participants of a filter.
pub const FILTER_PARTICIPANTS: usize = 10;
/// The maximum number of rooms that one `viewerEvents` follows.
pub const FOLLOWED_ROOMS: usize = 100;
/// The maximum number of sessions in `Viewer.openSessions`, newest first.
pub const OPEN_SESSIONS: u64 = 100;
/// The number of minutes in which senders may edit and delete a message: minimum, default, maximum (a year).
pub const EDIT_WINDOW_MINUTES: (i32, i32, i32) = (0, 15, 525_600);
/// The maximum number of edits of a message.
pub const EDITS: i32 = 50;
/// The maximum number of current products in a shopping cart.
pub const PRODUCTS: usize = 200;
/// The maximum number of products of a shopping cart, including removed ones.
pub const PRODUCTS_EVER: usize = 1_000;
/// The maximum quantity of a product in a shopping cart.
pub const QUANTITY: i32 = 1_000_000;
/// The largest price, in the currency's own unit.
pub const MONEY: i64 = 999_999_999_999;
/// The maximum number of decimals of a price. Some shops price in hundredths of a cent.
pub const MONEY_DECIMALS: u32 = 4;
/// The maximum number of Unicode scalar values of an emoji. The longest existing ones have ten.
pub const EMOJI: usize = 16;
/// The maximum number of different emojis on a message.
pub const EMOJIS: usize = 20;
/// The maximum number of webhooks of an organization. Each event adds a row for each subscribed webhook.
pub const WEBHOOKS: u64 = 20;
/// The maximum number of characters of a webhook's URL.
pub const WEBHOOK_URL: usize = 2_000;
/// The maximum number of rooms for members only in an organization. Authentication reads those that are closed to the
/// caller.
pub const CLOSED_ROOMS: u64 = 500;
/// The maximum number of users to add to a room, or to remove from it, in one call.
pub const MEMBERS: usize = 100;
/// For how long after their last activity a user counts as online.
pub const ONLINE: TimeDelta = TimeDelta::seconds(60);
/// The maximum number of origins that may use a room's widget key.
pub const ORIGINS: usize = 20;
/// The maximum number of bytes of an origin: the longest host name and a port.
pub const ORIGIN: usize = 270;
/// The maximum number of characters of a webhook's API key or API secret. Each is sent as a header.
pub const WEBHOOK_KEY: usize = 500;
/// The maximum number of attachments of a message.
pub const ATTACHMENTS: usize = 10;
/// The maximum number of characters of a link's URL.
pub const LINK: usize = 2_048;
/// The maximum number of characters of a contact's address: the length limit of e-mail addresses.
pub const ADDRESS: usize = 320;
/// The maximum number of characters of a media type (RFC 6838 section 4.2: 127 on each side of the slash).
pub const MEDIA_TYPE: usize = 255;
/// The default maximum size of a file in bytes.
pub const FILE_BYTES: u64 = 25 * 1024 * 1024;
/// The maximum size in bytes of a file that is decoded as an image. Larger files are stored as
/// `application/octet-stream`.
pub const IMAGE_BYTES: u64 = 25 * 1024 * 1024;
/// The maximum number of pixels of an image, which take 256 MiB while it is decoded.
pub const IMAGE_PIXELS: u64 = 64 * 1024 * 1024;
/// The maximum width and height of an image in pixels.
pub const IMAGE_SIDE: u32 = 30_000;
/// The length of the longer side of a preview in pixels.
pub const PREVIEW_SIDE: u32 = 320;
/// The maximum number of unsent uploads of an actor.
pub const UNSENT_UPLOADS: u64 = 100;
