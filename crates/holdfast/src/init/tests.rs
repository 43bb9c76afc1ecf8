//! What is proposed, and what is said of it.
