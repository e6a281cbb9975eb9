use axum::Extension;
use axum::extract::State;
use chrono::TimeDelta;
use domain::Code;
use store::{NewStreamTicket, TicketMaker};
use wire::api::stream_ticket::{CreateStreamTicket, StreamTicket, StreamTicketObject};

use crate::answer::Answer;
use crate::app::App;
use crate::extract::caller::{Caller, Credential};
use crate::extract::{Can, OptionalJson, perm};
use crate::problem::{Problem, Violation};
use crate::rules;

/// How long a ticket waits to be used, in seconds.
const LIFETIME: i64 = 60;

/// Where tickets are used.
const LOCATION: &str = "/api/realtime/runs";

impl rules::Checked for CreateStreamTicket {
    fn check(&self) -> Vec<Violation> {
        Vec::new()
    }
}

/// Creates a ticket for a stream.
#[utoipa::path(
    post,
    path = "/api/realtime/tickets",
    operation_id = "createStreamTicket",
    tag = "Realtime",
    description = "A ticket opens one stream, once, within 60 seconds: `?ticket=…` on any stream, for clients that cannot send headers, such as \
                   `EventSource` in a browser. It reaches as far as the call that makes it (application, end-user, permissions) and no further; when the \
                   key or session behind it ends, so does the stream. Only its hash is kept. A stream that breaks needs a new ticket, with the \
                   `Last-Event-ID` of the old stream.",
    request_body(content = Option<CreateStreamTicket>, example = json!({})),
    responses((status = 201, description = "The ticket.", body = StreamTicket))
)]
pub(super) async fn create_stream_ticket(
    can: Can<perm::RunsRead>,
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    OptionalJson(CreateStreamTicket {}): OptionalJson<CreateStreamTicket>,
) -> Result<Answer, Problem> {
    let maker = match &caller.credential {
        Credential::Key(login) => TicketMaker::Key(login.key),
        Credential::Session(login) => TicketMaker::Session(login.session.id),
        Credential::None => return Err(Problem::new(Code::Unauthorized, "Authenticate with an API key or a session.")),
    };
    let ticket = auth::token::new_stream_ticket(app.ids());
    let expires_at = app.now() + TimeDelta::seconds(LIFETIME);
    let write = can.write().await?;
    let new = NewStreamTicket { token_hash: auth::token::hash(ticket.expose()), maker, expires_at };
    write.stream_tickets().create(new).await?;
    let made = StreamTicket { object: StreamTicketObject::StreamTicket, ticket: ticket.expose().to_owned(), expires_at: expires_at.into() };
    Answer::created(write, &made, LOCATION.to_owned()).await
}
