//! Random choices of tests, reproducible by a seed.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// The environment variable with the seed to reproduce.
const VARIABLE: &str = "ANTEROOM_TEST_SEED";

/// The seed from the environment, or a new one. Prints it, so that a failed test can be reproduced.
pub fn seed() -> u64 {
    let seed = match std::env::var(VARIABLE) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{VARIABLE} is not a number: {text}")),
        Err(_) => rand::random(),
    };
    eprintln!("{VARIABLE}={seed} repeats the random choices of this test");
    seed
}

/// Random choices by [`seed`].
pub fn random() -> StdRng {
    StdRng::seed_from_u64(seed())
}
