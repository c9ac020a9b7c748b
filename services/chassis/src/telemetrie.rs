//! Logs, traces and metrics of a process. Trace context crosses gRPC metadata and
//! NATS headers as W3C `traceparent`.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::{
    global,
    propagation::{Extractor, Injector},
    trace::TracerProvider as _,
};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    Erreur, Resultat,
    reglages::{FormatJournal, ReglagesJournal},
};

static METRIQUES: OnceLock<PrometheusHandle> = OnceLock::new();

/// Keeps the exporters alive; flushes them when dropped.
pub struct Garde(Option<SdkTracerProvider>);

impl Drop for Garde {
    fn drop(&mut self) {
        if let Some(p) = self.0.take() {
            let _ = p.shutdown();
        }
    }
}

/// Installs logs, traces and metrics once for the process; a second call changes nothing.
pub fn installer(reglages: &ReglagesJournal, nom: &'static str) -> Resultat<Garde> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    global::set_text_map_propagator(TraceContextPropagator::new());
    metriques();
    let filtre = EnvFilter::try_new(&reglages.filtre).map_err(|e| {
        Erreur::faute(
            "log.filter",
            "valeur",
            format!("Filtre de journal illisible : {e}"),
            "par exemple info,ror_gateway=debug",
        )
    })?;
    let journal: Box<dyn Layer<Registry> + Send + Sync> = match reglages.format {
        FormatJournal::Json => Box::new(
            tracing_subscriber::fmt::layer()
                .json()
                .flatten_event(true)
                .with_writer(std::io::stderr)
                .with_filter(filtre),
        ),
        FormatJournal::Texte => Box::new(
            tracing_subscriber::fmt::layer()
                .with_target(false)
                .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
                .with_writer(std::io::stderr)
                .with_filter(filtre),
        ),
    };
    let fournisseur = reglages.otlp.as_deref().map(|adresse| fournisseur(adresse, nom)).transpose()?;
    let traces = fournisseur.as_ref().map(|f| {
        tracing_opentelemetry::layer().with_tracer(f.tracer(nom)).with_filter(EnvFilter::new("info"))
    });
    let _ = tracing_subscriber::registry().with(journal).with(traces).try_init();
    Ok(Garde(fournisseur))
}

fn fournisseur(adresse: &str, nom: &'static str) -> Resultat<SdkTracerProvider> {
    let exportateur =
        opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(adresse).build().map_err(
            |e| {
                Erreur::faute(
                    "otlp.endpoint",
                    "valeur",
                    format!("Export de traces impossible : {e}"),
                    "http://hote:4317",
                )
            },
        )?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exportateur)
        .with_resource(Resource::builder().with_service_name(nom).build())
        .build())
}

/// The Prometheus recorder of the process.
pub fn metriques() -> &'static PrometheusHandle {
    METRIQUES.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
            .unwrap_or_else(|_| PrometheusBuilder::new());
        // A recorder already installed by a test harness is not ours to replace.
        builder.install_recorder().unwrap_or_else(|_| PrometheusBuilder::new().build_recorder().handle())
    })
}

/// `traceparent` of the current span, if it is traced.
pub fn traceparent_courant() -> Option<String> {
    let mut porteur = Porteur(None);
    let contexte = tracing::Span::current().context();
    global::get_text_map_propagator(|p| p.inject_context(&contexte, &mut porteur));
    porteur.0
}

struct Porteur(Option<String>);
impl Injector for Porteur {
    fn set(&mut self, cle: &str, valeur: String) {
        if cle == "traceparent" {
            self.0 = Some(valeur);
        }
    }
}

/// Reads the caller's trace context from HTTP or gRPC headers into a span.
pub fn rattacher(span: &tracing::Span, entetes: &http::HeaderMap) {
    struct Lecture<'a>(&'a http::HeaderMap);
    impl Extractor for Lecture<'_> {
        fn get(&self, cle: &str) -> Option<&str> {
            self.0.get(cle).and_then(|v| v.to_str().ok())
        }
        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(http::HeaderName::as_str).collect()
        }
    }
    if entetes.contains_key("traceparent") {
        let contexte = global::get_text_map_propagator(|p| p.extract(&Lecture(entetes)));
        let _ = span.set_parent(contexte);
    }
}
