//! A month at the clinic: two hundred chats, replayed on their own clock.

use super::words::{DIALOGUES, TEAM, VISITORS, Who, words};
use super::{Stage, picture, shop};
use crate::actions::{
    CreateChat, CreateSession, EditMessage, JoinChat, MarkRead, MoveSession, React, SendMessage,
    SessionPlace, StartChat, UpdateParticipation,
};
use crate::clock::Clock;
use crate::domain::session_action::SessionAction;
use crate::domain::viewer::Viewer;
use chrono::TimeDelta;
use entity::{ChatId, ChatType, MessageId, RoomId, SessionId, SessionType, Timestamp, WebPage};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

/// The number of days before now at which the month begins.
pub(super) const DAYS: i64 = 30;
/// The number of ended chats. The others are still open.
const ENDED_CHATS: usize = 187;
/// A fixed seed, so that the month is always the same.
const SEED: u64 = 20_261_121;
/// The tags of two out of five ended chats.
const TAGS: [&str; 2] = ["appointment", "follow-up"];
/// A minute in seconds.
const MINUTE: u64 = 60;

/// The courses that a session can take.
const COURSES: [&[(Side, SessionAction)]; 6] = [
    &[
        (Side::We, SessionAction::Start),
        (Side::They, SessionAction::Accept),
        (Side::We, SessionAction::Finish),
    ],
    &[(Side::We, SessionAction::Start), (Side::They, SessionAction::Reject)],
    &[
        (Side::We, SessionAction::Start),
        (Side::They, SessionAction::Accept),
        (Side::They, SessionAction::Finish),
    ],
    &[(Side::We, SessionAction::Start), (Side::Clock, SessionAction::Finish)],
    &[(Side::We, SessionAction::Finish)],
    &[(Side::They, SessionAction::Reject)],
];

/// The side that acts on a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    They,
    We,
    Clock,
}

/// All people and rooms, with the month's own clock and random numbers.
pub(super) struct Month<'a> {
    pub stage: &'a Stage<'a>,
    pub clock: &'a Clock,
    /// The users. The admin is the first.
    pub users: &'a [Viewer],
    pub visitors: &'a [Viewer],
    pub rooms: &'a [RoomId],
    dice: StdRng,
}

impl<'a> Month<'a> {
    pub(super) fn new(
        stage: &'a Stage<'a>,
        clock: &'a Clock,
        users: &'a [Viewer],
        visitors: &'a [Viewer],
        rooms: &'a [RoomId],
    ) -> Self {
        Self { stage, clock, users, visitors, rooms, dice: StdRng::seed_from_u64(SEED) }
    }

    /// Replays until a time, which is now.
    pub(super) async fn play(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let team = self.team().await?;
        let end = now.minus(TimeDelta::hours(2));
        let first = self.clock.now();
        let pace = end.since(first) / i32::try_from(ENDED_CHATS)?;
        for number in 0..ENDED_CHATS {
            self.wait_until(first.plus(pace * i32::try_from(number)?));
            self.visit(number).await?;
            if number.is_multiple_of(9) {
                let (speaker, words) = (1 + number / 9 % 3, TEAM[number / 9 % TEAM.len()]);
                self.say(&self.users[speaker], team, words).await?;
            }
        }
        // All users but the admin, who is the first, have read the team's chat.
        for user in self.users.iter().skip(1) {
            self.read(user, team).await?;
        }
        self.wait_until(now.minus(TimeDelta::hours(1)));
        self.today(now).await
    }

    /// Replays a visitor's chat from start to end.
    async fn visit(&mut self, number: usize) -> anyhow::Result<()> {
        let who = self.dice.random_range(0..VISITORS.len());
        let user = &self.users[self.dice.random_range(1..self.users.len())];
        let room = *self.rooms.choose(&mut self.dice).unwrap_or(&self.rooms[0]);
        let visitor = &self.visitors[who];
        let lines = self.lines(VISITORS[who].2);
        let chat = self.start(visitor, room, lines[0].1).await?;
        // Occasionally, nobody answers.
        if number % 23 == 7 {
            self.pass(10 * MINUTE, 30 * MINUTE);
            self.stage.actions.end_chat(visitor, chat).await?;
            return Ok(());
        }
        self.pass(15, 3 * MINUTE);
        self.stage.actions.join_chat(user, JoinChat { chat_id: chat, is_exclusive: true }).await?;
        for (who, words) in &lines[1..] {
            self.pass(5, 90);
            self.say(if *who == Who::We { user } else { visitor }, chat, words).await?;
        }
        if number.is_multiple_of(5) {
            let course = COURSES[number / 5 % COURSES.len()];
            self.session(user, visitor, chat, course).await?;
        }
        self.pass(20, 2 * MINUTE);
        self.read(user, chat).await?;
        self.stage.actions.leave_chat(user, chat).await?;
        self.stage.actions.end_chat(user, chat).await?;
        let tags = TAGS.get(number % 5).into_iter().map(|tag| (*tag).to_owned()).collect();
        self.stage.actions.tag_chat(user, chat, tags).await?;
        Ok(())
    }

    /// Creates the current state: waiting chats, open conversations and calls.
    async fn today(&mut self, now: Timestamp) -> anyhow::Result<()> {
        let (olga, omar, doctor) = (&self.users[1], &self.users[2], &self.users[3]);
        let (vera, rooms) = (&self.visitors[0], self.rooms);
        for (from, to, words) in [
            (doctor, olga, "Could you send me the list for tomorrow?"),
            (omar, doctor, "Your 3 pm visit is confirmed."),
        ] {
            let chat = self.create(from, ChatType::Direct, &[to], None).await?;
            self.say(from, chat, words).await?;
        }
        let care = [olga, doctor, &self.visitors[12]];
        let plan = self.create(olga, ChatType::Group, &care, Some("Care plan for Luis Ortega")).await?;
        let luis = &self.visitors[12];
        let asked = self.say(doctor, plan, "Luis, how is the new dose?").await?;
        self.note(olga, plan, "He was dizzy on Monday.").await?;
        self.note(doctor, plan, "Then we stay at 5 mg.").await?;
        let answer = SendMessage { reply_to_id: Some(asked), ..words(plan, "Mucho mejor, gracia.") };
        let answer = self.send(luis, answer).await?;
        let edit = EditMessage { message_id: answer, text: "Mucho mejor, gracias.".into() };
        self.stage.actions.edit_message(luis, edit).await?;
        self.react(doctor, answer, "👍").await?;
        self.react(olga, answer, "🎉").await?;
        self.session(doctor, &self.visitors[12], plan, &[]).await?;

        let advice = self.talk(olga, 0, rooms[0], &[]).await?;
        let (ada, stage) = (&self.users[0], self.stage);
        shop::fill_cart(stage, ada, vera, advice, Some(self.clock.now())).await?;
        self.talk(
            doctor,
            3,
            rooms[2],
            &[(Side::We, SessionAction::Start), (Side::They, SessionAction::Accept)],
        )
        .await?;
        let calling = self.talk(omar, 10, rooms[1], &[]).await?;
        shop::fill_cart(stage, ada, &self.visitors[10], calling, None).await?;
        shop::suggest(stage, omar, &self.visitors[17], rooms[1], page(rooms[1], rooms)).await?;
        for who in [1, 2, 5, 15] {
            self.pass(MINUTE, 4 * MINUTE);
            let words = self.lines(VISITORS[who].2)[0].1;
            self.start(&self.visitors[who], rooms[who % rooms.len()], words).await?;
        }
        let last =
            self.start(vera, rooms[1], "And one more thing: is the pharmacy open on Saturday?").await?;
        self.say(vera, last, "I would come by at eleven.").await?;
        picture::send(self.stage, vera, last).await?;
        let call = self.session(omar, &self.visitors[10], calling, &[]).await?;
        self.wait_until(now);
        self.direct(omar, call, SessionAction::Start).await
    }

    /// Starts a chat with a session that has taken some of its steps.
    async fn talk(
        &mut self,
        user: &Viewer,
        who: usize,
        room: RoomId,
        course: &[(Side, SessionAction)],
    ) -> anyhow::Result<ChatId> {
        let (visitor, lines) = (&self.visitors[who], self.lines(VISITORS[who].2));
        let chat = self.start(visitor, room, lines[0].1).await?;
        self.pass(30, 2 * MINUTE);
        self.stage.actions.join_chat(user, JoinChat { chat_id: chat, is_exclusive: true }).await?;
        self.say(user, chat, lines[1].1).await?;
        if !course.is_empty() {
            self.session(user, visitor, chat, course).await?;
        }
        Ok(chat)
    }

    async fn team(&self) -> anyhow::Result<ChatId> {
        let everybody: Vec<_> = self.users.iter().collect();
        self.create(&self.users[0], ChatType::Group, &everybody, Some("Front desk")).await
    }

    async fn create(
        &self,
        owner: &Viewer,
        chat_type: ChatType,
        participants: &[&Viewer],
        name: Option<&str>,
    ) -> anyhow::Result<ChatId> {
        let input = CreateChat {
            chat_type,
            participant_ids: participants.iter().map(|viewer| viewer.actor_id).collect(),
            owner_id: None,
            name: name.map(Into::into),
            description: None,
            request_id: None,
        };
        let chat_id = self.stage.actions.create_chat(owner, input).await?.chat.id;
        let label = match chat_type {
            ChatType::Group => "Everybody",
            ChatType::Direct | ChatType::Visitor => "Between us",
        };
        let view = UpdateParticipation {
            chat_id,
            name: Some(Some(label.into())),
            detail: Some(Some("My own name for it: nobody else sees this.".into())),
            is_hidden: None,
        };
        self.stage.actions.update_participation(owner, view).await?;
        Ok(chat_id)
    }

    async fn start(&self, visitor: &Viewer, room_id: RoomId, message: &str) -> anyhow::Result<ChatId> {
        let message = Some(message.into());
        let input = StartChat {
            room_id,
            visitor_id: None,
            auto_resume: false,
            auto_resume_user_id: None,
            is_private: false,
            page: Some(page(room_id, self.rooms)),
            message,
            request_id: None,
        };
        Ok(self.stage.actions.start_chat(visitor, input).await?.chat.id)
    }

    async fn say(&self, sender: &Viewer, chat_id: ChatId, text: &str) -> anyhow::Result<MessageId> {
        self.send(sender, words(chat_id, text)).await
    }

    async fn note(&self, user: &Viewer, chat_id: ChatId, text: &str) -> anyhow::Result<MessageId> {
        self.send(user, SendMessage { is_internal: true, ..words(chat_id, text) }).await
    }

    async fn send(&self, sender: &Viewer, input: SendMessage) -> anyhow::Result<MessageId> {
        Ok(self.stage.actions.send_message(sender, input).await?.message.message.id)
    }

    async fn read(&self, reader: &Viewer, chat_id: ChatId) -> anyhow::Result<()> {
        self.stage.actions.mark_read(reader, MarkRead { chat_id, through_sequence: i64::MAX }).await?;
        Ok(())
    }

    async fn react(&self, by: &Viewer, message_id: MessageId, emoji: &str) -> anyhow::Result<()> {
        let input = React { message_id, emoji: emoji.into(), is_there: true };
        self.stage.actions.react(by, input).await?;
        Ok(())
    }

    async fn session(
        &mut self,
        user: &Viewer,
        visitor: &Viewer,
        chat_id: ChatId,
        course: &[(Side, SessionAction)],
    ) -> anyhow::Result<SessionId> {
        let titles = ["Video visit", "Follow-up", "Test results", "Medication review"];
        let input = CreateSession {
            place: SessionPlace::Chat {
                id: chat_id,
                participant_ids: Some(vec![user.actor_id, visitor.actor_id]),
            },
            title: titles.choose(&mut self.dice).map(|title| (*title).into()),
            session_type: SessionType::Telemed,
            call_room: None,
            scheduled_at: None,
            start: false,
            ring_seconds: None,
            request_id: None,
        };
        let session_id = self.stage.actions.create_session(user, input).await?.session.id;
        for (side, action) in course {
            let viewer = match side {
                Side::They => visitor,
                Side::We => user,
                Side::Clock => {
                    self.pass(4 * MINUTE, 5 * MINUTE);
                    self.stage.actions.miss_sessions().await?;
                    continue;
                }
            };
            self.pass(5, 30);
            self.direct(viewer, session_id, *action).await?;
        }
        Ok(session_id)
    }

    async fn direct(
        &self,
        viewer: &Viewer,
        session_id: SessionId,
        action: SessionAction,
    ) -> anyhow::Result<()> {
        let ring_seconds = (action == SessionAction::Start).then_some(180);
        let input = MoveSession { session_id, action, reason: None, ring_seconds, request_id: None };
        self.stage.actions.give_action(viewer, input).await?;
        Ok(())
    }

    /// A conversation in this language.
    fn lines(&mut self, language: &str) -> &'static [(Who, &'static str)] {
        let spoken: Vec<_> = DIALOGUES.iter().filter(|(spoken, _)| *spoken == language).collect();
        spoken.choose(&mut self.dice).map_or(DIALOGUES[0].1, |(_, lines)| lines)
    }

    fn pass(&mut self, least: u64, most: u64) {
        self.clock.advance(Duration::from_millis(self.dice.random_range(least * 1_000..most * 1_000)));
    }

    fn wait_until(&self, moment: Timestamp) {
        let wait = moment.0.saturating_sub(self.clock.now().0);
        self.clock.advance(Duration::from_millis(u64::try_from(wait).unwrap_or_default()));
    }
}

/// The page of the clinic's site for a room.
fn page(room_id: RoomId, rooms: &[RoomId]) -> WebPage {
    const PAGES: [(&str, &str); 4] =
        [("", "Welcome"), ("pharmacy", "Pharmacy"), ("cardiology", "Cardiology"), ("billing", "Your bill")];
    let place = rooms.iter().position(|id| *id == room_id).unwrap_or_default();
    let (path, title) = PAGES[place % PAGES.len()];
    WebPage { url: format!("https://clinic.example.org/{path}"), title: Some(title.to_owned()) }
}
