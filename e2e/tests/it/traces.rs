//! Traces: the spans of one write are one trace, whatever processes it went through.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Result, ensure};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value},
};
use ror_e2e::{Dossier, Mesh, Options, attendre, client::requete};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};
use uuid::Uuid;

use crate::monde::Ecriture;

/// Longest time until an ended span has arrived.
const DELAI: Duration = Duration::from_secs(20);
/// Every process of the mesh that has spans.
const PROCESSUS: [&str; 8] =
    ["structures", "offers", "capacity", "nomenclatures", "identity", "access", "bascule", "gateway"];

/// A span as it arrived; ids are in hexadecimal.
#[derive(Debug, Clone)]
struct Portee {
    /// `service.name` of its process.
    processus: String,
    /// Its name, then its attribute `follower` when it has one.
    nom: String,
    trace: String,
    id: String,
    parent: String,
}

/// A trace collector: what an operator would point `otlp.endpoint` at.
#[derive(Debug, Clone, Default)]
struct Collecteur(Arc<Mutex<Vec<Portee>>>);

#[tonic::async_trait]
impl TraceService for Collecteur {
    async fn export(
        &self,
        demande: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for ressource in demande.into_inner().resource_spans {
            let processus = ressource.resource.map(|r| attribut(&r.attributes, "service.name"));
            let processus = processus.unwrap_or_default();
            let spans = ressource.scope_spans.into_iter().flat_map(|s| s.spans);
            self.0.lock().unwrap().extend(spans.map(|s| Portee {
                processus: processus.clone(),
                nom: format!("{} {}", s.name, attribut(&s.attributes, "follower")).trim_end().to_owned(),
                trace: hexa(&s.trace_id),
                id: hexa(&s.span_id),
                parent: hexa(&s.parent_span_id),
            }));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Text of an attribute; empty without.
fn attribut(attributs: &[KeyValue], cle: &str) -> String {
    let attribut = attributs.iter().find(|a| a.key == cle);
    match attribut.and_then(|a| a.value.as_ref()).and_then(|v| v.value.as_ref()) {
        Some(Value::StringValue(texte)) => texte.clone(),
        _ => String::new(),
    }
}

fn hexa(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

impl Collecteur {
    /// Listens on a free port; the address is the one to export to.
    fn ecouter() -> Result<(Self, String)> {
        let entrees = TcpIncoming::bind("127.0.0.1:0".parse()?)?;
        let adresse = format!("http://{}", entrees.local_addr()?);
        let collecteur = Self::default();
        let service = TraceServiceServer::new(collecteur.clone());
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(entrees));
        Ok((collecteur, adresse))
    }

    /// Waits until every process of the mesh has told spans under its own name.
    async fn tous_nommes(&self) -> Result<()> {
        attendre("each process tells spans under its name", DELAI, async || -> Result<Option<()>> {
            let recues = self.0.lock().unwrap();
            let noms: BTreeSet<&str> = recues.iter().map(|p| p.processus.as_str()).collect();
            Ok(PROCESSUS.iter().all(|nom| noms.contains(nom)).then_some(()))
        })
        .await
    }

    /// Waits for the span of that process and name in that trace, and wants it under that parent;
    /// its id.
    async fn sous(&self, trace: &str, parent: &str, processus: &str, nom: &str) -> Result<String> {
        let quoi = format!("the process {processus} tells its span {nom} in the trace {trace}");
        let span = attendre(&quoi, DELAI, async || -> Result<Option<Portee>> {
            let recues = self.0.lock().unwrap();
            let trouvee =
                recues.iter().find(|p| p.trace == trace && p.processus == processus && p.nom == nom);
            Ok(trouvee.cloned())
        })
        .await?;
        ensure!(span.parent == parent, "{processus}, {nom}: parent {} instead of {parent}", span.parent);
        Ok(span.id)
    }
}

/// A capacity write under the trace context of its caller, followed from process to process.
async fn suivre(mesh: &Mesh, collecteur: &Collecteur) -> Result<()> {
    let ecriture = Ecriture::nouvelle(mesh).await?;
    let flux = mesh.client("capacity")?;
    let trace = Uuid::new_v4().simple().to_string();
    let appelant = Uuid::new_v4().simple().to_string().split_off(16);
    let contexte = ("traceparent".to_owned(), format!("00-{trace}-{appelant}-01"));
    let url =
        format!("{}/Location?{}", flux.base_capacite, requete(&[("identifier", &ecriture.identifiant)]));
    flux.modifier_brut(&url, &ecriture.corps.to_string(), &[contexte]).await?.attendre(200)?;

    let http = collecteur.sous(&trace, &appelant, "gateway", "http").await?;
    let grpc = collecteur.sous(&trace, &http, "capacity", "grpc").await?;
    // Through the outbox, the relay and a NATS header, back to the gateway that follows.
    collecteur.sous(&trace, &grpc, "gateway", "events gateway-capacity").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_write_is_one_trace_across_grpc_and_nats() {
    let (collecteur, adresse) = Collecteur::ecouter().unwrap();
    let mut options = Options::new("small", true);
    options.env = vec![("ROR_OTLP__ENDPOINT", adresse), ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned())];
    let mesh = Mesh::relancer(&Dossier::neuf(), options).await;
    collecteur.tous_nommes().await.unwrap();
    // Twice: a context kept from the first write would show in the second.
    for _ in 0..2 {
        suivre(&mesh, &collecteur).await.unwrap();
    }
}
