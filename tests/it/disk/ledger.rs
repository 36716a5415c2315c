//! The record of one chat: what was acknowledged, what a live subscriber was shown, and what is stored in the end.

use std::collections::{BTreeMap, HashMap};

/// A message by its text, which is unique, and its sequence.
pub type Line = (String, i64);

#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Answered with a sequence.
    pub acknowledged: Vec<Line>,
    /// Answered with `UNAVAILABLE`, or not at all.
    pub unknown: Vec<String>,
    /// Shown to a subscriber that was there from the first message on, in the order of arrival.
    pub shown: Vec<Line>,
    /// Read in the end, oldest first.
    pub stored: Vec<Line>,
}

impl Ledger {
    /// Everything that contradicts the promises: acknowledged, stored and shown are the same, once, in order and without
    /// a gap. What was not acknowledged may be there or not.
    pub fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let stored: HashMap<_, _> = self.stored.iter().cloned().collect();
        if stored.len() != self.stored.len() {
            findings.push("a message is stored twice".to_owned());
        }
        for (text, sequence) in &self.acknowledged {
            if stored.get(text) != Some(sequence) {
                let stored = stored.get(text);
                findings.push(format!("{text} was acknowledged as {sequence} and is stored as {stored:?}"));
            }
        }
        let mut taken = BTreeMap::new();
        for (text, sequence) in &self.acknowledged {
            if let Some(other) = taken.insert(sequence, text) {
                findings.push(format!("{text} and {other} were both acknowledged as {sequence}"));
            }
        }
        for (text, _) in &self.stored {
            if !self.unknown.contains(text) && !self.acknowledged.iter().any(|(known, _)| known == text) {
                findings.push(format!("{text} is stored and was never sent"));
            }
        }
        for pair in self.stored.windows(2) {
            if let [(_, before), (text, sequence)] = pair
                && *sequence != before + 1
            {
                findings.push(format!("{text} has the sequence {sequence} after {before}"));
            }
        }
        if self.shown != self.stored {
            let first = self.shown.iter().zip(&self.stored).position(|(shown, stored)| shown != stored);
            let at = first.unwrap_or(self.shown.len().min(self.stored.len()));
            findings.push(format!(
                "{} were shown and {} are stored; they differ from place {at} on: {:?} and {:?}",
                self.shown.len(),
                self.stored.len(),
                self.shown.get(at),
                self.stored.get(at)
            ));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Ledger {
        let lines = |range: std::ops::Range<i64>| range.map(|n| (format!("m{n}"), n + 3)).collect::<Vec<_>>();
        Ledger {
            acknowledged: lines(0..8),
            unknown: vec!["m8".into(), "m9".into()],
            shown: lines(0..9),
            stored: lines(0..9),
        }
    }

    #[test]
    fn a_sound_ledger_has_no_findings_and_each_planted_fault_has_one() {
        type Fault = fn(&mut Ledger);
        assert_eq!(sound().findings(), Vec::<String>::new());
        let faults: [Fault; 7] = [
            |ledger| ledger.acknowledged.push(("lost".into(), 40)),
            |ledger| ledger.acknowledged[3].1 = 5,
            |ledger| ledger.shown.truncate(8),
            |ledger| ledger.shown.swap(1, 2),
            |ledger| ledger.shown.push(("phantom".into(), 12)),
            |ledger| {
                ledger.stored.remove(8);
                ledger.shown.remove(8);
                ledger.unknown.clear();
                ledger.stored[5].1 = 11;
            },
            |ledger| ledger.unknown.clear(),
        ];
        for (number, plant) in faults.into_iter().enumerate() {
            let mut ledger = sound();
            plant(&mut ledger);
            assert!(!ledger.findings().is_empty(), "fault {number} was not found");
        }
    }
}
