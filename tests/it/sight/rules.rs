//! Who sees what, as the guide "Who sees what" says it. Nothing here is shared with the server.

use std::collections::{BTreeMap, BTreeSet};

pub type Id = String;
pub type Ids = BTreeSet<Id>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Admin,
    Supervisor,
    Operator,
    Program,
    Visitor,
}

impl Role {
    pub fn is_user(self) -> bool {
        matches!(self, Self::Admin | Self::Supervisor | Self::Operator)
    }
}

#[derive(Clone, Debug)]
pub struct Actor {
    pub id: Id,
    pub tenant: usize,
    pub role: Role,
}

#[derive(Clone, Debug)]
pub struct Room {
    pub tenant: usize,
    pub is_open: bool,
    pub members: Ids,
}

#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)]
pub struct Chat {
    pub tenant: usize,
    /// The room and the visitor of a VISITOR chat.
    pub visit: Option<(Id, Id)>,
    pub is_private: bool,
    pub has_ended: bool,
    pub is_deleted: bool,
    pub is_waiting: bool,
    pub participants: Ids,
    /// Users who are present.
    pub present: Ids,
}

/// Something with an id of its own in a chat.
#[derive(Clone, Debug)]
pub struct Thing {
    pub chat: Id,
    pub part: Part,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Message,
    Note,
    /// With the actors whom it calls.
    Session(Ids),
    /// With the actor who participates.
    Participation(Id),
    Presence,
    File,
    /// With the visitor whom it belongs to.
    Cart(Id),
}

#[derive(Clone, Debug)]
pub enum Change {
    AddMember(Id, Id),
    RemoveMember(Id, Id),
    SetAccess(Id, bool),
    SetRole(Id, Role),
    SetPrivate(Id, bool),
    AddParticipant(Id, Id),
    RemoveParticipant(Id, Id),
    End(Id),
    Delete(Id),
}

#[derive(Debug, Default)]
pub struct Rules {
    pub actors: BTreeMap<Id, Actor>,
    pub rooms: BTreeMap<Id, Room>,
    pub chats: BTreeMap<Id, Chat>,
    pub things: BTreeMap<Id, Thing>,
}

impl Rules {
    /// Whether a room is for members only, and a user or program is none of them.
    fn is_closed(who: &Actor, room: &Room) -> bool {
        let is_bound = !matches!(who.role, Role::Admin | Role::Visitor);
        is_bound && !room.is_open && !room.members.contains(&who.id)
    }

    pub fn sees_room(&self, who: &Actor, room: &str) -> bool {
        let room = &self.rooms[room];
        room.tenant == who.tenant && !Self::is_closed(who, room)
    }

    pub fn sees_actor(who: &Actor, other: &Actor) -> bool {
        let is_known = match other.role {
            Role::Admin | Role::Supervisor | Role::Operator => true,
            Role::Visitor => who.role != Role::Visitor || who.id == other.id,
            Role::Program => false,
        };
        who.tenant == other.tenant && is_known
    }

    pub fn sees(&self, who: &Actor, chat: &str) -> bool {
        let chat = &self.chats[chat];
        if chat.is_deleted || chat.tenant != who.tenant {
            return false;
        }
        if chat.participants.contains(&who.id) || who.role == Role::Admin {
            return true;
        }
        let Some((room, visitor)) = &chat.visit else { return false };
        let room = &self.rooms[room];
        match who.role {
            Role::Visitor => *visitor == who.id,
            Role::Supervisor if room.members.contains(&who.id) => true,
            Role::Admin | Role::Supervisor | Role::Operator | Role::Program => {
                !chat.is_private && !Self::is_closed(who, room)
            }
        }
    }

    pub fn has(&self, who: &Actor, thing: &str) -> bool {
        let Thing { chat, part } = &self.things[thing];
        let is_staff = who.role != Role::Visitor;
        match part {
            Part::Cart(visitor) => self.chats[chat].tenant == who.tenant && (is_staff || *visitor == who.id),
            Part::Note => is_staff && self.sees(who, chat),
            Part::Session(called) => (is_staff || called.contains(&who.id)) && self.sees(who, chat),
            Part::Message | Part::Participation(_) | Part::Presence | Part::File => self.sees(who, chat),
        }
    }

    /// The chats that someone sees and that meet a condition.
    pub fn seen(&self, who: &Actor, meets: impl Fn(&Chat) -> bool) -> Ids {
        let chats = self.chats.iter().filter(|(id, chat)| self.sees(who, id) && meets(chat));
        chats.map(|(id, _)| id.clone()).collect()
    }

    /// The chats that someone sees and that wait for an answer.
    pub fn queue(&self, who: &Actor) -> Ids {
        self.seen(who, |chat| chat.is_waiting && chat.visit.is_some())
    }

    pub fn inbox(&self, who: &Actor) -> Ids {
        self.seen(who, |chat| chat.participants.contains(&who.id) || chat.present.contains(&who.id))
    }

    pub fn apply(&mut self, change: &Change) {
        match change.clone() {
            Change::AddMember(room, user) => {
                self.rooms.get_mut(&room).expect("a room").members.insert(user);
            }
            Change::RemoveMember(room, user) => {
                self.rooms.get_mut(&room).expect("a room").members.remove(&user);
                self.depart(&room, &[user]);
            }
            Change::SetAccess(room, is_open) => {
                self.rooms.get_mut(&room).expect("a room").is_open = is_open;
                let all: Vec<_> = self.actors.keys().cloned().collect();
                self.depart(&room, &all);
            }
            Change::SetRole(user, role) => self.actors.get_mut(&user).expect("a user").role = role,
            Change::SetPrivate(chat, is_private) => self.chat(&chat).is_private = is_private,
            Change::AddParticipant(chat, user) => {
                self.chat(&chat).participants.insert(user);
            }
            Change::RemoveParticipant(chat, user) => {
                self.chat(&chat).participants.remove(&user);
            }
            Change::End(chat) => self.chat(&chat).has_ended = true,
            Change::Delete(chat) => self.chat(&chat).is_deleted = true,
        }
    }

    fn chat(&mut self, chat: &str) -> &mut Chat {
        self.chats.get_mut(chat).expect("a chat")
    }

    /// Those to whom a room is closed leave its chats that have not ended.
    fn depart(&mut self, room: &str, actors: &[Id]) {
        let is_closed = |id: &&Id| Self::is_closed(&self.actors[*id], &self.rooms[room]);
        let lost: Ids = actors.iter().filter(is_closed).cloned().collect();
        for chat in self.chats.values_mut().filter(|chat| !chat.has_ended) {
            if chat.visit.as_ref().is_some_and(|(of, _)| of == room) {
                chat.participants = &chat.participants - &lost;
            }
        }
    }
}
