//! Whether the promises hold while everything around the server fails: nodes, PostgreSQL and NATS are killed and
//! frozen, disks fill up, networks are cut, clocks jump, and clients come back all at once.

mod checker;
mod journal;
mod planted;
