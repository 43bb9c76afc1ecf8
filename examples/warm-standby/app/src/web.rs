//! What users and health checks ask.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::assets::Assets;
use crate::database::{Database, Health};

/// An order's number is no longer; it is its client's choice, so that an order can be sent again.
const NUMBER_BYTES_MAX: usize = 64;

/// What stands behind the pages.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Where orders go.
    pub database: Database,
    /// Where assets come from.
    pub assets: Assets,
    /// Where this is.
    pub region: String,
}

/// The pages.
pub fn pages(shop: Shop) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/health/writes", get(writes))
        .route("/orders", post(order))
        .route("/assets/{name}", get(asset))
        .with_state(shop)
}

fn answer(is_well: bool, body: &Value) -> impl IntoResponse + use<> {
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{body}\n"))
}

async fn looked(shop: &Shop) -> (Health, Value) {
    let health = shop.database.health().await;
    (health, json!({ "serves": health.reads, "writes": health.writes, "region": shop.region }))
}

/// For a load balancer, and for Holdfast's checks of either site: a replica serves.
async fn health(State(shop): State<Shop>) -> impl IntoResponse {
    let (health, told) = looked(&shop).await;
    answer(health.reads, &told)
}

/// For whoever wants to know whether orders are taken.
async fn writes(State(shop): State<Shop>) -> impl IntoResponse {
    let (health, told) = looked(&shop).await;
    answer(health.writes, &told)
}

/// The body is the order's number.
async fn order(State(shop): State<Shop>, number: String) -> Response<Body> {
    let number = number.trim();
    if number.is_empty() || number.len() > NUMBER_BYTES_MAX {
        let told = json!({ "error": format!("an order's number has 1 to {NUMBER_BYTES_MAX} bytes") });
        return (StatusCode::BAD_REQUEST, format!("{told}\n")).into_response();
    }
    match shop.database.order(number).await {
        Ok(()) => answer(true, &json!({ "order": number, "region": shop.region })).into_response(),
        Err(error) => answer(false, &json!({ "error": error.to_string(), "region": shop.region })).into_response(),
    }
}

async fn asset(State(shop): State<Shop>, Path(name): Path<String>) -> Response<Body> {
    shop.assets.get(&name).await
}
