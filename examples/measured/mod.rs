//! What the measurements have in common: an organization with its admin in a store of its own, and medians.

use anteroom::actions::NewOrganization;
use anteroom::app::App;
use anteroom::clock::Clock;
use anteroom::config::{Config, Settings};
use anteroom::domain::rooms::Principal;
use anteroom::domain::viewer::Viewer;
use anyhow::Context;
use entity::{ActorId, ActorType, ChatId, ParticipationId, Timestamp, participation};
use std::path::PathBuf;
use std::time::Instant;
use uuid::Uuid;

/// A server to be measured.
pub struct Measured {
    pub app: App,
    pub admin: Viewer,
    /// How much to fill it with.
    pub count: i64,
}

impl Measured {
    /// As the arguments say: a folder, which is made; how much; and the URL of an empty database, if not SQLite's. With
    /// the settings that come of it.
    pub async fn open() -> anyhow::Result<(Self, Config)> {
        let mut arguments = std::env::args().skip(1);
        let folder = PathBuf::from(arguments.next().context("name a folder")?);
        let count = arguments.next().context("say how many")?.parse()?;
        let settings = Settings {
            listen: Some("127.0.0.1:0".parse()?),
            data: Some(folder),
            database: arguments.next(),
            ..Settings::default()
        };
        let config = settings.resolve()?;
        let app = App::start(config.clone(), Clock::system()).await?;
        let (_, admin) = app
            .actions()
            .create_organization(NewOrganization {
                tenant_name: "measured".into(),
                instance_name: "main".into(),
                name: "measured".into(),
                admin_name: "Ada".into(),
            })
            .await?;
        let principal = Principal::without_rooms(admin);
        let admin = Viewer::of(&principal, Timestamp(i64::MAX), None).context("an actor has no role")?;
        Ok((Self { app, admin, count }, config))
    }
}

/// A user's part in a chat, since it began.
pub fn participation(id: Uuid, chat_id: ChatId, actor_id: ActorId, at: Timestamp) -> participation::Model {
    participation::Model::new(ParticipationId(id), chat_id, actor_id, ActorType::User, at)
}

/// How long something takes in the middle of so many runs, in milliseconds.
pub async fn median(runs: usize, mut run: impl AsyncFnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let started = Instant::now();
        run().await?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[runs / 2])
}
