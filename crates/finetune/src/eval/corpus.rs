//! Which images and captions are ranked against each other, and which answers are right.
//!
//! Holds words and indices only; features are passed beside it, so that two models can be measured
//! on one corpus.

use std::collections::HashMap;

use super::{Direction, Error};

/// The images of a split, their captions, and whose caption each is.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    image_ids: Vec<String>,
    captions: Vec<String>,
    image_of_text: Vec<u32>,
}

impl Corpus {
    /// Takes image ids, captions, and for each caption the index of its image.
    ///
    /// # Errors
    /// An image without a caption is refused: it would be a query that nothing can answer.
    pub fn new(
        image_ids: Vec<String>,
        captions: Vec<String>,
        image_of_text: Vec<u32>,
    ) -> Result<Self, Error> {
        if image_ids.is_empty() {
            return Err(Error::Empty { what: "images" });
        }
        if captions.len() != image_of_text.len() {
            let (expected, found) = (captions.len(), image_of_text.len());
            return Err(Error::RowCount { what: "image of each caption", expected, found });
        }
        check_images(&image_ids, &image_of_text)?;
        Ok(Self { image_ids, captions, image_of_text })
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.image_ids.len()
    }

    /// Number of captions.
    pub fn texts(&self) -> usize {
        self.captions.len()
    }

    /// Id of each image.
    pub fn image_ids(&self) -> &[String] {
        &self.image_ids
    }

    /// The captions, as written.
    pub fn captions(&self) -> &[String] {
        &self.captions
    }

    /// For each caption the index of its image.
    pub fn image_of_text(&self) -> &[u32] {
        &self.image_of_text
    }

    /// For each caption the number of its wording: equal numbers mean word-identical captions.
    ///
    /// Numbers count from 0 in the order of first appearance.
    pub fn wording_of_text(&self) -> Vec<u32> {
        let mut numbers = HashMap::new();
        self.captions
            .iter()
            .map(|caption| {
                let next = numbers.len() as u32;
                *numbers.entry(normalise_caption(caption)).or_insert(next)
            })
            .collect()
    }

    /// Number of captions that are word-identical to a caption of another image.
    pub fn shared_captions(&self) -> usize {
        let groups = Groups::identical(self);
        let images = |text: usize| groups.right(Direction::TextToImage, text).len();
        (0..self.texts()).filter(|&text| images(text) > 1).count()
    }

    /// For each image the index of its first caption.
    pub(crate) fn first_captions(&self) -> Vec<usize> {
        let mut first = vec![usize::MAX; self.images()];
        for (text, &image) in self.image_of_text.iter().enumerate().rev() {
            first[image as usize] = text;
        }
        first
    }
}

fn check_images(image_ids: &[String], image_of_text: &[u32]) -> Result<(), Error> {
    let mut captioned = vec![false; image_ids.len()];
    for (row, &image) in image_of_text.iter().enumerate() {
        let (expected, found) = (image_ids.len(), image as usize);
        *captioned.get_mut(found).ok_or(Error::Index {
            what: "caption",
            row,
            expected,
            found,
        })? = true;
    }
    match captioned.iter().position(|&has_caption| !has_caption) {
        Some(image) => Err(Error::ImageWithoutCaption { image: image_ids[image].clone() }),
        None => Ok(()),
    }
}

/// The wording of a caption: lower case, white space collapsed, no full stop at the end.
///
/// Captions with equal wording count as identical. `"A red  roof ."` and `"a red roof"` are.
pub fn normalise_caption(caption: &str) -> String {
    let words = caption.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    words.trim_end_matches(['.', ' ']).to_owned()
}

/// Which answers are right: captions in groups, each group right for the same images.
///
/// Groups instead of one list per query, because a caption under 5,000 images would otherwise cost
/// 25 million entries.
pub(crate) struct Groups {
    of_text: Vec<u32>,
    texts: Vec<Vec<u32>>,
    images: Vec<Vec<u32>>,
    of_image: Vec<Vec<u32>>,
}

impl Groups {
    /// One group per image: only its own captions are right.
    pub(crate) fn own(corpus: &Corpus) -> Self {
        Self::new(corpus, corpus.image_of_text.clone())
    }

    /// One group per wording: a caption is right for every image that carries it.
    pub(crate) fn identical(corpus: &Corpus) -> Self {
        Self::new(corpus, corpus.wording_of_text())
    }

    fn new(corpus: &Corpus, group_of_text: Vec<u32>) -> Self {
        let groups = group_of_text.iter().max().map_or(0, |&last| last as usize + 1);
        let mut texts = vec![Vec::new(); groups];
        let mut images = vec![Vec::new(); groups];
        let mut of_image = vec![Vec::new(); corpus.images()];
        for (text, (&group, &image)) in group_of_text.iter().zip(&corpus.image_of_text).enumerate()
        {
            texts[group as usize].push(text as u32);
            images[group as usize].push(image);
            of_image[image as usize].push(group);
        }
        images.iter_mut().chain(&mut of_image).for_each(sort_and_dedup);
        Self { of_text: group_of_text, texts, images, of_image }
    }

    /// The right answers of one query, each once.
    pub(crate) fn right(&self, direction: Direction, query: usize) -> Vec<u32> {
        match direction {
            Direction::TextToImage => self.images[self.of_text[query] as usize].clone(),
            Direction::ImageToText => {
                let groups = &self.of_image[query];
                groups.iter().flat_map(|&group| &self.texts[group as usize]).copied().collect()
            }
        }
    }
}

fn sort_and_dedup(values: &mut Vec<u32>) {
    values.sort_unstable();
    values.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus(captions: &[(&str, u32)]) -> Result<Corpus, Error> {
        let images = captions.iter().map(|&(_, image)| image).max().unwrap_or(0) + 1;
        Corpus::new(
            (0..images).map(|image| format!("{image}.png")).collect(),
            captions.iter().map(|&(caption, _)| caption.to_owned()).collect(),
            captions.iter().map(|&(_, image)| image).collect(),
        )
    }

    #[test]
    fn wording_ignores_case_white_space_and_the_last_full_stop() {
        assert_eq!(normalise_caption(" A red\t roof ."), "a red roof");
        assert_eq!(normalise_caption("A Red Roof."), normalise_caption("a red roof"));
        assert_ne!(normalise_caption("a red roof"), normalise_caption("a red, roof"));
    }

    #[test]
    fn own_captions_alone_are_right_in_the_standard_protocol() {
        let corpus = corpus(&[("a", 0), ("b", 0), ("A .", 1)]).unwrap();
        let own = Groups::own(&corpus);
        assert_eq!(own.right(Direction::ImageToText, 0), [0, 1]);
        assert_eq!(own.right(Direction::TextToImage, 2), [1]);
    }

    #[test]
    fn identical_captions_are_right_for_all_their_images() {
        let corpus = corpus(&[("a", 0), ("b", 0), ("A .", 1), ("c", 1), ("a", 1)]).unwrap();
        let identical = Groups::identical(&corpus);
        assert_eq!(identical.right(Direction::ImageToText, 0), [0, 2, 4, 1]);
        assert_eq!(identical.right(Direction::ImageToText, 1), [0, 2, 4, 3]);
        assert_eq!(identical.right(Direction::TextToImage, 0), [0, 1]);
        assert_eq!(identical.right(Direction::TextToImage, 1), [0]);
    }

    #[test]
    fn a_caption_repeated_under_one_image_is_not_shared() {
        assert_eq!(corpus(&[("a", 0), ("a", 0), ("b", 1)]).unwrap().shared_captions(), 0);
        assert_eq!(corpus(&[("a", 0), ("a", 1), ("b", 1)]).unwrap().shared_captions(), 2);
    }

    #[test]
    fn an_image_without_a_caption_is_refused_by_name() {
        let found = corpus(&[("a", 0), ("b", 2)]).unwrap_err();
        assert_eq!(found, Error::ImageWithoutCaption { image: "1.png".into() });
    }

    #[test]
    fn a_caption_of_no_image_is_refused() {
        let found =
            Corpus::new(vec!["a".into()], vec!["x".into(), "y".into()], vec![0, 3]).unwrap_err();
        assert_eq!(found, Error::Index { what: "caption", row: 1, expected: 1, found: 3 });
    }
}
