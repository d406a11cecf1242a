//! Tiles of the pictures that were asked about last.

use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use finelens_clip::Picture;

/// Pictures that are remembered: some megabytes.
const PICTURES: usize = 32;

/// The vectors of each picture's tiles, newest first.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pictures: VecDeque<(u64, Vec<f32>)>,
}

impl Seen {
    /// The tiles of a picture, by its pixels; `embed` is asked only where they are not known.
    pub(super) fn tiles<E>(
        &mut self,
        picture: &Picture,
        embed: impl FnOnce() -> Result<Vec<f32>, E>,
    ) -> Result<Vec<f32>, E> {
        let key = key(picture);
        let place = self.pictures.iter().position(|(known, _)| *known == key);
        let vectors = match place.and_then(|place| self.pictures.remove(place)) {
            Some((_, vectors)) => vectors,
            None => embed()?,
        };
        self.pictures.truncate(PICTURES - 1);
        self.pictures.push_front((key, vectors.clone()));
        Ok(vectors)
    }
}

fn key(picture: &Picture) -> u64 {
    let mut hasher = DefaultHasher::new();
    (picture.width(), picture.rgb()).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(seen: &mut Seen, shade: u8) -> bool {
        let mut asked = false;
        let vectors = seen.tiles(&Picture::new(1, 1, vec![shade; 3]), || {
            asked = true;
            Ok::<_, ()>(vec![f32::from(shade)])
        });
        assert_eq!(vectors, Ok(vec![f32::from(shade)]));
        asked
    }

    #[test]
    fn a_picture_is_embedded_once_until_others_push_it_out() {
        let mut seen = Seen::default();
        assert!(asked(&mut seen, 0));
        for shade in 1..PICTURES as u8 {
            assert!(asked(&mut seen, shade));
        }
        assert!(!asked(&mut seen, 0), "used again, it is the newest");
        assert!(asked(&mut seen, 200));
        assert!(asked(&mut seen, 1), "the oldest went");
        assert!(!asked(&mut seen, 0));
    }

    #[test]
    fn pictures_of_another_shape_are_others() {
        let [wide, high] = [(2, 1), (1, 2)].map(|(w, h)| key(&Picture::new(w, h, vec![7; 6])));
        assert_ne!(wide, high);
    }
}
