//! The customers service: profiles, attributes, purchases, interactions and subscriptions.
