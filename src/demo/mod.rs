//! Sample data: an organization that the server's own actions create.

mod month;
mod picture;
mod shop;
mod words;

use crate::actions::{
    Actions, CreateRoom, CreateUser, IssueToken, NewOrganization, TokenSubject, UpsertVisitor,
};
use crate::app::Base;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::page::PageRequest;
use crate::domain::rooms::Principal;
use crate::domain::viewer::Viewer;
use anyhow::{Context, bail};
use chrono::TimeDelta;
use entity::{ActorType, UserRole, actor};
use month::Month;
use std::fmt::Write;
use words::VISITORS;

/// The lifetime of the demo's tokens in seconds: a day.
const TOKEN_SECONDS: i32 = 86_400;
/// The port of the page in `examples/widget`.
const WIDGET_PORT: u16 = 8080;
const TENANT: &str = "demo";
const INSTANCE: &str = "main";
const ADMIN: &str = "Ada Admin";
/// The operators, with their public names. The first is the one whose token is printed.
const OPERATORS: [(&str, &str); 4] = [
    ("Olga Operator", "Olga"),
    ("Omar Operator", "Omar"),
    ("Ines Duarte", "Dr. Duarte"),
    ("Mei Tanaka", "Nurse Mei"),
];
const ROOMS: [&str; 4] = ["Reception", "Pharmacy", "Cardiology", "Billing"];

/// The demo organization, with a token for each of three roles.
pub struct Demo {
    guests: [Guest; 3],
    widget_key: String,
}

/// A signed-in person of the demo organization.
struct Guest {
    who: String,
    token: String,
}

impl Demo {
    /// The output for the console: URLs that open GraphiQL signed in, or only the tokens if GraphiQL is off.
    #[must_use]
    pub fn introduction(&self, url: &str, has_graphiql: bool) -> String {
        let mut text = String::from("\nThe demo organization is loaded. ");
        if has_graphiql {
            text.push_str("For a day these URLs open GraphiQL, signed in as\n");
        } else {
            let _ = write!(
                text,
                "This server has no GraphiQL; for a day these tokens\nopen its GraphQL, as in\n\
                 \n  curl {url}/graphql -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' \\\n    \
                 -d '{{\"query\":\"{{ viewer {{ role actor {{ displayName }} }} }}\"}}'\n"
            );
        }
        for Guest { who, token } in &self.guests {
            let address = if has_graphiql { format!("{url}/graphiql#token={token}") } else { token.clone() };
            let _ = write!(text, "\n{who}\n  {address}\n");
        }
        let _ = write!(
            text,
            "\nA page whose visitors chat, once python3 -m http.server {WIDGET_PORT} -d examples/widget serves it\n  \
             http://localhost:{WIDGET_PORT}/?server={url}&key={}\n",
            self.widget_key
        );
        text.push('\n');
        text
    }

    /// Issues tokens for three people of the demo organization.
    pub async fn tokens(actions: &Actions) -> anyhow::Result<Self> {
        let organization =
            actions.find_organization(TENANT, INSTANCE).await?.context("the demo organization is gone")?;
        let guest = async |role: &str, actor_type: ActorType, known_as: &str| -> anyhow::Result<Guest> {
            let found = actions.find_person(organization.id, actor_type, None, known_as).await?;
            let actor = found.with_context(|| format!("{known_as} is gone"))?;
            let subject = TokenSubject::Actor(actor.id);
            let input = IssueToken { subject, expires_in_seconds: Some(TOKEN_SECONDS) };
            let (actor, issued) = actions.mint_token(organization.id, input).await?;
            let who = format!("{}, {role}", actor.name.as_deref().unwrap_or(known_as));
            Ok(Guest { who, token: issued.token })
        };
        let guests = [
            guest("an admin", ActorType::User, ADMIN).await?,
            guest("an operator", ActorType::User, OPERATORS[0].0).await?,
            guest("a visitor", ActorType::Visitor, VISITORS[0].0).await?,
        ];
        Ok(Self { widget_key: widget_key(actions, &guests[0].token).await?, guests })
    }
}

/// The widget key of the first room.
async fn widget_key(actions: &Actions, admins_token: &str) -> anyhow::Result<String> {
    let admin = actions.authenticate(admins_token, None).await;
    let admin = admin.map_err(|failure| anyhow::anyhow!("the admin is not let in: {failure:?}"))?;
    let page = PageRequest::new(Some(1), None, None, None).map_err(|bad| anyhow::anyhow!("{bad}"))?;
    let (_, room) = actions.rooms(&admin, &page).await?.rows.pop().context("the demo's rooms are gone")?;
    Ok(room.widget_key)
}

/// Whether the store is empty.
pub async fn is_wanted(actions: &Actions) -> anyhow::Result<bool> {
    Ok(!actions.has_organization().await?)
}

/// Loads the demo organization once. The store must not be open, because the demo runs on its own clock,
/// which starts a month ago.
pub async fn load(config: &Config) -> anyhow::Result<()> {
    let now = Clock::system().now();
    let clock = Clock::frozen(now.minus(TimeDelta::days(month::DAYS)));
    let base = Base::open(config, clock.clone()).await?;
    let played = play(&base.actions, &clock, now).await;
    base.close().await;
    played
}

async fn play(actions: &Actions, clock: &Clock, now: entity::Timestamp) -> anyhow::Result<()> {
    if actions.find_organization(TENANT, INSTANCE).await?.is_some() {
        bail!("the demo organization is loaded already");
    }
    let (_, admin) = actions
        .create_organization(NewOrganization {
            tenant_name: TENANT.into(),
            instance_name: INSTANCE.into(),
            name: "Demo Clinic".into(),
            admin_name: ADMIN.into(),
        })
        .await?;
    let stage = Stage { actions };
    let ada = stage.viewer(&admin)?;
    let mut rooms = Vec::new();
    for name in ROOMS {
        rooms.push(
            actions
                .create_room(
                    &ada,
                    CreateRoom {
                        name: name.into(),
                        allowed_origins: if name == ROOMS[0] { widget_origins() } else { Vec::new() },
                        resume_window_minutes: None,
                        end_after_idle_minutes: None,
                        access: None,
                    },
                )
                .await?
                .id,
        );
    }
    let mut users = vec![ada];
    for (name, public_name) in OPERATORS {
        users.push(stage.operator(&users[0], name, public_name).await?);
    }
    let mut visitors = Vec::new();
    for (external_id, name, language) in VISITORS {
        visitors.push(stage.visitor(&users[0], external_id, name, language).await?);
    }
    Month::new(&stage, clock, &users, &visitors, &rooms).play(now).await
}

/// The origins of `examples/widget`.
fn widget_origins() -> Vec<String> {
    ["localhost", "127.0.0.1"].map(|host| format!("http://{host}:{WIDGET_PORT}")).into()
}

struct Stage<'a> {
    actions: &'a Actions,
}

impl Stage<'_> {
    fn viewer(&self, actor: &actor::Model) -> anyhow::Result<Viewer> {
        let principal = Principal::without_rooms(actor.clone());
        Viewer::of(&principal, self.actions.now(), None).context("an actor has no role")
    }

    async fn operator(&self, admin: &Viewer, name: &str, public_name: &str) -> anyhow::Result<Viewer> {
        let input = CreateUser {
            name: name.into(),
            public_name: Some(public_name.into()),
            role: UserRole::Operator,
            external_id: None,
        };
        self.viewer(&self.actions.create_user(admin, input).await?)
    }

    async fn visitor(
        &self,
        admin: &Viewer,
        external_id: &str,
        name: Option<&str>,
        language: &str,
    ) -> anyhow::Result<Viewer> {
        let input = UpsertVisitor {
            external_id: external_id.into(),
            display_name: name.map(|name| Some(name.into())),
            attributes: Some(vec![("language".into(), language.into())]),
        };
        self.viewer(&self.actions.upsert_visitor(admin, input).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_introduction_opens_graphiql_or_prints_the_bare_tokens() {
        let guests =
            ["Ada", "Olga", "Vera"].map(|who| Guest { who: who.into(), token: format!("{who}-token") });
        let demo = Demo { guests, widget_key: "wk_key".into() };
        let with = demo.introduction("https://chat.example", true);
        assert!(with.contains("\n  https://chat.example/graphiql#token=Olga-token\n"), "{with}");
        let page = "\n  http://localhost:8080/?server=https://chat.example&key=wk_key\n";
        assert!(with.contains(page), "{with}");
        let without = demo.introduction("https://chat.example", false);
        assert!(without.contains("\nOlga\n  Olga-token\n") && !without.contains("graphiql"), "{without}");
        assert!(without.contains("curl https://chat.example/graphql"), "{without}");
    }
}
