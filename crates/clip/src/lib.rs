//! A picture or a sentence in, a unit vector out.
