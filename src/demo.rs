//! Sample data: an organization worth a look, made by the server's own actions.

use crate::actions::{
    Actions, CreateChat, CreateRoom, CreateSession, CreateUser, GiveDirective, IssueToken, JoinChat,
    NewOrganization, SendMessage, StartChat, TokenSubject, UpsertVisitor,
};
use crate::domain::directive::Directive;
use crate::domain::viewer::{Viewer, ViewerRole};
use anyhow::bail;
use entity::{ActorId, ChatId, ChatType, OrganizationId, RoomId, SessionType, UserRole, actor};

/// Seconds that the demo's tokens live: a day.
const TOKEN_SECONDS: i32 = 86_400;
const TENANT: &str = "demo";
const INSTANCE: &str = "main";

/// The demo organization, with tokens to look at it from three sides.
pub struct Demo {
    admin: String,
    operator: String,
    visitor: String,
}

impl Demo {
    /// What the console says of it.
    #[must_use]
    pub fn introduction(&self, url: &str) -> String {
        let Self { admin, operator, visitor } = self;
        format!(
            "The demo organization is loaded. Tokens for a day, as in\n\
             \n  curl {url}/graphql -H 'Authorization: Bearer TOKEN' -H 'Content-Type: application/json' \\\n    \
             -d '{{\"query\":\"{{ viewer {{ role actor {{ displayName }} }} }}\"}}'\n\
             \nAdmin\n  {admin}\nOperator\n  {operator}\nVisitor\n  {visitor}\n"
        )
    }
}

/// Whether the store is empty.
pub async fn is_wanted(actions: &Actions) -> anyhow::Result<bool> {
    Ok(!actions.has_organization().await?)
}

/// Loads the demo organization, once.
pub async fn load(actions: &Actions) -> anyhow::Result<Demo> {
    if actions.find_organization(TENANT, INSTANCE).await?.is_some() {
        bail!("the demo organization is loaded already");
    }
    let (organization, admin) = actions
        .create_organization(NewOrganization {
            tenant_name: TENANT.into(),
            instance_name: INSTANCE.into(),
            name: "Demo Clinic".into(),
            admin_name: "Ada Admin".into(),
        })
        .await?;
    let stage = Stage { actions, organization_id: organization.id };
    let ada = stage.viewer(&admin, ViewerRole::Admin);
    let reception = actions.create_room(&ada, CreateRoom { name: "Reception".into() }).await?.id;
    let pharmacy = actions.create_room(&ada, CreateRoom { name: "Pharmacy".into() }).await?.id;
    let olga = stage.operator(&ada, "Olga Operator", "Olga").await?;
    let omar = stage.operator(&ada, "Omar Operator", "Omar").await?;
    let vera = stage.visitor(&ada, "patient-1", Some("Vera Visitor")).await?;
    let viktor = stage.visitor(&ada, "patient-2", Some("Viktor")).await?;
    let unnamed = stage.visitor(&ada, "patient-3", None).await?;

    let answered = stage.start(&vera, reception, "Hello! May I come earlier on Monday?").await?;
    actions.join_chat(&olga, JoinChat { chat_id: answered, is_exclusive: true }).await?;
    stage.say(&olga, answered, "Good morning, Vera. Would 8:30 do?").await?;
    stage.say(&vera, answered, "Perfect, thank you!").await?;
    stage.say(&olga, answered, "You are down for 8:30. The doctor can also see you by video before.").await?;
    let calls = [olga.actor_id, vera.actor_id];
    stage
        .session(
            &olga,
            answered,
            &calls,
            "Video visit",
            &[(&olga, Directive::Start), (&vera, Directive::Accept), (&olga, Directive::Finish)],
        )
        .await?;
    stage.session(&omar, answered, &[omar.actor_id, vera.actor_id], "Follow-up", &[]).await?;

    stage.start(&viktor, pharmacy, "Is my prescription ready?").await?;
    stage.start(&unnamed, reception, "¿Hablan español?").await?;

    let team = CreateChat {
        chat_type: ChatType::Group,
        participant_ids: vec![olga.actor_id, omar.actor_id],
        owner_id: None,
        name: Some("Front desk".into()),
        detail: Some("Who covers what".into()),
        request_id: None,
    };
    let team = actions.create_chat(&ada, team).await?.chat.id;
    stage.say(&ada, team, "Please keep an eye on the pharmacy queue today.").await?;
    stage.say(&omar, team, "On it.").await?;

    Ok(Demo {
        admin: stage.token(ada.actor_id).await?,
        operator: stage.token(olga.actor_id).await?,
        visitor: stage.token(vera.actor_id).await?,
    })
}

struct Stage<'a> {
    actions: &'a Actions,
    organization_id: OrganizationId,
}

impl Stage<'_> {
    fn viewer(&self, actor: &actor::Model, role: ViewerRole) -> Viewer {
        Viewer {
            organization_id: self.organization_id,
            actor_id: actor.id,
            role,
            expires_at: self.actions.now(),
            auth_version: actor.auth_version,
        }
    }

    async fn operator(&self, admin: &Viewer, name: &str, public_name: &str) -> anyhow::Result<Viewer> {
        let input = CreateUser {
            name: name.into(),
            public_name: Some(public_name.into()),
            role: UserRole::Operator,
            external_id: None,
        };
        Ok(self.viewer(&self.actions.create_user(admin, input).await?, ViewerRole::Operator))
    }

    async fn visitor(&self, admin: &Viewer, external_id: &str, name: Option<&str>) -> anyhow::Result<Viewer> {
        let input = UpsertVisitor {
            external_id: external_id.into(),
            display_name: name.map(|name| Some(name.into())),
            attributes: Some(vec![("language".into(), "en".into())]),
        };
        Ok(self.viewer(&self.actions.upsert_visitor(admin, input).await?, ViewerRole::Visitor))
    }

    async fn start(&self, visitor: &Viewer, room_id: RoomId, message: &str) -> anyhow::Result<ChatId> {
        let input = StartChat {
            room_id,
            visitor_id: None,
            is_private: false,
            message: Some(message.into()),
            request_id: None,
        };
        Ok(self.actions.start_chat(visitor, input).await?.chat.id)
    }

    async fn say(&self, sender: &Viewer, chat_id: ChatId, text: &str) -> anyhow::Result<()> {
        let input = SendMessage { chat_id, text: text.into(), sender_id: None, external_id: None };
        self.actions.send_message(sender, input).await?;
        Ok(())
    }

    async fn session(
        &self,
        creator: &Viewer,
        chat_id: ChatId,
        participant_ids: &[ActorId],
        title: &str,
        directives: &[(&Viewer, Directive)],
    ) -> anyhow::Result<()> {
        let input = CreateSession {
            chat_id: Some(chat_id),
            participant_ids: Some(participant_ids.to_vec()),
            title: Some(title.into()),
            session_type: SessionType::Telemed,
            call_room: None,
            scheduled_at: None,
            start: false,
            ring_seconds: None,
            request_id: None,
        };
        let session_id = self.actions.create_session(creator, input).await?.session.id;
        for (viewer, directive) in directives {
            let input = GiveDirective {
                session_id,
                directive: *directive,
                reason: None,
                ring_seconds: None,
                request_id: None,
            };
            self.actions.give_directive(viewer, input).await?;
        }
        Ok(())
    }

    async fn token(&self, actor_id: ActorId) -> anyhow::Result<String> {
        let input =
            IssueToken { subject: TokenSubject::Actor(actor_id), expires_in_seconds: Some(TOKEN_SECONDS) };
        Ok(self.actions.mint_token(self.organization_id, input).await?.1.token)
    }
}
