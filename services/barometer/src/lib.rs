//! The barometer program: serve, import, query, catalogue.
