//! Reading the log: what happened in a chat after a position, with the rows that it happened to.
