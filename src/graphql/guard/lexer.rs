//! Counts the tokens of a document, so that the parser never gets more than it handles quickly.

use super::DocumentLimits;
use crate::graphql::door::Refusal;

/// Refuses a text with too many bytes, tokens or levels of brackets. Takes linear time.
pub(super) fn check(text: &str, limits: &DocumentLimits) -> Result<(), Refusal> {
    if text.len() > limits.bytes {
        return Err(super::too_many("bytes", limits.bytes));
    }
    let mut lexer = Lexer { bytes: text.as_bytes(), at: 0 };
    let (mut tokens, mut open) = (0, 0_usize);
    while let Some(token) = lexer.next() {
        tokens += 1;
        match token {
            Token::Open => open += 1,
            Token::Close => open = open.saturating_sub(1),
            Token::Other => {}
        }
        if tokens > limits.tokens {
            return Err(super::too_many("tokens", limits.tokens));
        }
        if open > limits.nesting {
            return Err(super::too_many("nested brackets", limits.nesting));
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Other,
}

/// Finds tokens well enough to count them. Whether they form a document is for the parser to decide.
struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<Token> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xEF | 0xBB | 0xBF => self.at += 1,
                b'#' => self.skip_while(|byte| byte != b'\n' && byte != b'\r'),
                b'"' => {
                    self.skip_string();
                    return Some(Token::Other);
                }
                b'.' if self.bytes[self.at..].starts_with(b"...") => {
                    self.at += 3;
                    return Some(Token::Other);
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                    self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                    return Some(Token::Other);
                }
                b'0'..=b'9' | b'-' => {
                    self.at += 1;
                    self.skip_while(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-')
                    });
                    return Some(Token::Other);
                }
                _ => {
                    self.at += 1;
                    return Some(match byte {
                        b'{' | b'[' | b'(' => Token::Open,
                        b'}' | b']' | b')' => Token::Close,
                        _ => Token::Other,
                    });
                }
            }
        }
    }

    fn skip_while(&mut self, go_on: impl Fn(u8) -> bool) {
        while self.bytes.get(self.at).is_some_and(|byte| go_on(*byte)) {
            self.at += 1;
        }
    }

    /// A string ends at its quote or, unless it is a block string, at the end of the line.
    fn skip_string(&mut self) {
        let is_block = self.bytes[self.at..].starts_with(b"\"\"\"");
        self.at += if is_block { 3 } else { 1 };
        while let Some(byte) = self.bytes.get(self.at) {
            let rest = &self.bytes[self.at..];
            match byte {
                b'\\' if is_block && rest.starts_with(b"\\\"\"\"") => self.at += 4,
                b'\\' if !is_block => self.at += 2,
                b'"' if is_block && rest.starts_with(b"\"\"\"") => {
                    self.at += 3;
                    return;
                }
                b'"' | b'\n' | b'\r' if !is_block => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }
}
