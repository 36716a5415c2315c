//! The checker, tested with journals into which each kind of fault is planted.

use super::checker::{Finding, Kind, check};
use super::journal::{
    Attempt, Call, Change, Contest, Follower, Frame, Journal, Outcome, Shown, StoredChat, Stream, Walk,
};

/// Log positions that hold messages in [`sound`]; the others hold entries of other kinds.
const MESSAGES: [i64; 4] = [2, 3, 5, 6];
const HEAD: i64 = 7;

fn shown(sequence: i64) -> Shown {
    Shown { sequence, id: format!("id{sequence}"), external_id: format!("w{sequence}") }
}

fn attempt(started: u64, outcome: Outcome) -> Attempt {
    Attempt { started, ended: started + 5, outcome }
}

fn acknowledged(sequence: i64) -> Outcome {
    Outcome::Acknowledged { id: format!("id{sequence}"), sequence }
}

fn unknown() -> Outcome {
    Outcome::Unknown { cause: "UNAVAILABLE".into() }
}

fn call(sequence: i64) -> Call {
    let started = u64::try_from(sequence).unwrap() * 10;
    let attempts = vec![attempt(started, unknown()), attempt(started + 1, acknowledged(sequence))];
    Call { chat: 0, external_id: format!("w{sequence}"), attempts }
}

fn frame(position: i64, change: Change) -> Frame {
    Frame { at: 100, connection: 0, position: Some(position), change }
}

/// A run without a fault: four messages, one follower of each kind, one walk, one contest.
fn sound() -> Journal {
    let messages = MESSAGES.map(|sequence| frame(sequence, Change::Message(shown(sequence))));
    let mut events = vec![frame(1, Change::Reset { is_first: true })];
    for position in 2..=HEAD {
        let change = if MESSAGES.contains(&position) {
            Change::Message(shown(position))
        } else {
            Change::Entry("ParticipationAddedEvent".into())
        };
        events.push(frame(position, change));
        events.push(frame(position, Change::Entry("TypingChangedEvent".into())));
    }
    let states = vec![
        frame(HEAD, Change::State { chat: 0, message_count: 4 }),
        frame(HEAD, Change::State { chat: 0, message_count: 3 }),
        frame(HEAD, Change::State { chat: 0, message_count: 4 }),
    ];
    let follower = |name: &str, kind, from, frames| Follower {
        name: name.into(),
        chat: 0,
        kind,
        from,
        frames,
        ended: Vec::new(),
        reached: Some(HEAD),
    };
    Journal {
        calls: MESSAGES.map(call).into(),
        followers: vec![
            follower("messages", Stream::Messages, Some(0), messages.into()),
            follower("events", Stream::Events, None, events),
            Follower { chat: 1, ..follower("feed", Stream::Room, None, states) },
        ],
        contests: vec![Contest {
            session: "s".into(),
            winners: vec!["olga".into(), "olga".into()],
            unknown: 1,
            stored: Some("olga".into()),
        }],
        walks: vec![Walk { chat: 0, from: 0, started: 80, ended: 90, shown: MESSAGES.map(shown).into() }],
        store: vec![StoredChat { head: HEAD, messages: MESSAGES.map(shown).into(), message_count: 4 }],
        expired: Vec::new(),
        late: Vec::new(),
        broken: Vec::new(),
    }
}

/// Plants a fault in a sound run, and returns the kinds that the checker reports, without repetition.
fn planted(plant: impl FnOnce(&mut Journal)) -> Vec<Kind> {
    let mut journal = sound();
    plant(&mut journal);
    let mut kinds: Vec<_> = check(&journal).iter().map(|finding| finding.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

#[test]
fn a_sound_run_has_no_findings() {
    assert_eq!(check(&sound()), Vec::<Finding>::new());
}

#[test]
fn an_acknowledged_message_that_is_not_stored_is_lost() {
    let kinds = planted(|run| {
        run.store[0].messages.remove(1);
        run.store[0].message_count = 3;
    });
    // Followers and walks were shown what is not there.
    assert_eq!(kinds, [Kind::Lost, Kind::Phantom]);
}

#[test]
fn an_unanswered_message_may_be_stored_or_not() {
    let kinds = planted(|run| {
        run.calls[3].attempts = vec![attempt(60, unknown())];
        run.calls.push(Call { external_id: "w9".into(), attempts: vec![attempt(90, unknown())], chat: 0 });
    });
    assert_eq!(kinds, []);
}

#[test]
fn a_message_that_a_follower_never_saw_is_lost() {
    assert_eq!(planted(|run| drop(run.followers[0].frames.remove(2))), [Kind::Lost]);
    assert_eq!(planted(|run| drop(run.followers[0].frames.pop())), [Kind::Lost]);
}

#[test]
fn a_feed_whose_last_state_of_a_chat_is_old_lost_a_change() {
    assert_eq!(planted(|run| drop(run.followers[2].frames.pop())), [Kind::Lost]);
    assert_eq!(planted(|run| run.followers[2].frames.clear()), [Kind::Lost]);
    assert_eq!(planted(|run| drop(run.followers[2].frames.remove(0))), []);
}

#[test]
fn a_message_hidden_by_a_failed_frame_with_a_cursor_is_lost() {
    let kinds = planted(|run| run.followers[0].frames[1].change = Change::Failed("UNAVAILABLE".into()));
    assert_eq!(kinds, [Kind::Lost]);
}

#[test]
fn a_failed_frame_without_a_cursor_that_is_repaired_is_no_loss() {
    let kinds = planted(|run| {
        let failed =
            Frame { at: 99, connection: 0, position: None, change: Change::Failed("UNAVAILABLE".into()) };
        run.followers[0].frames.insert(1, failed);
    });
    assert_eq!(kinds, []);
}

#[test]
fn a_message_shown_or_stored_twice_is_repeated() {
    let kinds = planted(|run| {
        let again = run.followers[0].frames[2].clone();
        run.followers[0].frames.push(again);
    });
    assert_eq!(kinds, [Kind::Repeated]);
    let kinds = planted(|run| {
        let again = Shown { external_id: "w6".into(), ..shown(7) };
        run.store[0].messages.push(again.clone());
        run.store[0].message_count = 5;
        run.followers[0].frames.push(frame(7, Change::Message(again)));
        run.followers.truncate(1);
    });
    assert!(kinds.contains(&Kind::Repeated), "{kinds:?}");
}

#[test]
fn an_entry_of_the_log_shown_twice_is_repeated() {
    let kinds = planted(|run| {
        let frames = &mut run.followers[1].frames;
        let at = frames.iter().position(|frame| frame.position == Some(4)).unwrap();
        let again = frames[at].clone();
        frames.insert(at, again);
    });
    assert_eq!(kinds, [Kind::Repeated]);
}

#[test]
fn messages_shown_in_another_order_are_reordered() {
    assert_eq!(planted(|run| run.followers[0].frames.swap(1, 2)), [Kind::Reordered]);
    assert_eq!(planted(|run| run.walks[0].shown.swap(0, 1)), [Kind::Reordered]);
}

#[test]
fn a_message_stored_before_one_that_was_answered_earlier_is_reordered() {
    let kinds = planted(|run| {
        // Stored second, and sent after everything else was answered.
        run.calls[1].attempts = vec![attempt(500, acknowledged(3))];
        run.walks.clear();
    });
    assert_eq!(kinds, [Kind::Reordered]);
}

#[test]
fn a_position_of_the_log_that_nobody_saw_is_a_gap() {
    let skip = |position: i64| {
        move |run: &mut Journal| run.followers[1].frames.retain(|frame| frame.position != Some(position))
    };
    assert_eq!(planted(skip(4)), [Kind::Gap]);
    assert_eq!(planted(skip(HEAD)), [Kind::Gap]);
}

#[test]
fn reset_excuses_only_skipped_events() {
    let kinds = planted(|run| {
        let frames = &mut run.followers[1].frames;
        frames.retain(|frame| !matches!(frame.position, Some(3 | 4)));
        let at = frames.iter().position(|frame| frame.position == Some(5)).unwrap();
        frames.insert(at, frame(4, Change::Reset { is_first: false }));
    });
    assert_eq!(kinds, []);
}

#[test]
fn a_message_that_is_shown_and_not_stored_is_a_phantom() {
    let kinds = planted(|run| {
        let ghost = Shown { sequence: 4, id: "ghost".into(), external_id: "w4".into() };
        run.followers[0].frames.insert(2, frame(4, Change::Message(ghost)));
    });
    assert_eq!(kinds, [Kind::Phantom]);
}

#[test]
fn a_message_that_was_refused_or_never_sent_is_a_phantom() {
    let kinds = planted(|run| {
        run.calls[0].attempts = vec![attempt(20, Outcome::Refused { code: "CHAT_ENDED".into() })];
    });
    assert_eq!(kinds, [Kind::Phantom]);
    assert_eq!(planted(|run| drop(run.calls.remove(0))), [Kind::Phantom]);
}

#[test]
fn two_winners_or_an_unstored_winner_are_wrong() {
    assert_eq!(planted(|run| run.contests[0].winners.push("otto".into())), [Kind::Winners]);
    assert_eq!(planted(|run| run.contests[0].stored = None), [Kind::Winners]);
    assert_eq!(planted(|run| run.contests[0].stored = Some("otto".into())), [Kind::Winners]);
    let kinds = planted(|run| {
        run.contests[0].winners.clear();
        run.contests[0].unknown = 0;
    });
    assert_eq!(kinds, [Kind::Winners]);
}

#[test]
fn a_winner_who_never_got_the_answer_is_right() {
    assert_eq!(planted(|run| run.contests[0].winners.clear()), []);
}

#[test]
fn a_retry_with_another_answer_is_inconsistent() {
    let kinds = planted(|run| run.calls[0].attempts.push(attempt(99, acknowledged(4))));
    assert_eq!(kinds, [Kind::Inconsistent]);
    assert_eq!(planted(|run| run.store[0].message_count = 3), [Kind::Inconsistent]);
    assert_eq!(planted(|run| run.store[0].head = 5), [Kind::Inconsistent]);
}

#[test]
fn paging_without_acknowledged_message_is_reported() {
    assert_eq!(planted(|run| drop(run.walks[0].shown.pop())), [Kind::Lost]);
    // One that began before the answer owes nothing.
    let kinds = planted(|run| {
        run.walks[0].started = 0;
        run.walks[0].shown.pop();
    });
    assert_eq!(kinds, []);
}

#[test]
fn a_subscription_that_is_over_for_good_and_what_comes_late_are_reported() {
    assert_eq!(planted(|run| run.followers[0].ended.push("error UNAVAILABLE".into())), [Kind::Ended]);
    let kinds = planted(|run| {
        run.followers[0].reached = None;
        run.followers[0].frames.pop();
    });
    assert_eq!(kinds, [Kind::Late]);
    assert_eq!(planted(|run| run.expired.push("olga".into())), [Kind::Expired]);
    assert_eq!(planted(|run| run.late.push("a ring".into())), [Kind::Late]);
    assert_eq!(planted(|run| run.broken.push("INTERNAL".into())), [Kind::Broken]);
}
