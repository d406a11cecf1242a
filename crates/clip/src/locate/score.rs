//! From vectors to numbers: each tile's cosine with a text, and what they say together.

/// How much the best tiles count beside the others in [`evidence`].
///
/// Own choice, on held-out pictures of two kinds (docs/find.md): 10 to 50 differ little, the mean and the maximum alone
/// are both worse.
const SHARPNESS: f32 = 20.0;

/// Cosine of each tile with a text.
///
/// # Shapes
/// `tiles` (N, D) and `text` (D,), both of unit vectors, to (N,).
pub fn cosines(tiles: &[f32], text: &[f32]) -> Vec<f32> {
    let cosine = |tile: &[f32]| tile.iter().zip(text).map(|(a, b)| a * b).sum();
    tiles.chunks_exact(text.len()).map(cosine).collect()
}

/// One number for the picture: a soft maximum of its tiles' cosines, the logarithm of the mean of their exponentials.
///
/// It is what a soft-max over the tiles divides by, and so forgets: the soft-max says where in the picture a feature
/// is most likely, this says how likely any of it is.
///
/// Source: Boyd, Vandenberghe, "Convex Optimization" (2004), 3.1.5, with the mean in place of the sum, so that pictures of
/// more tiles gain nothing by that.
pub fn evidence(cosines: &[f32]) -> f32 {
    let most = cosines.iter().copied().fold(f32::MIN, f32::max);
    let total: f32 = cosines.iter().map(|cosine| (SHARPNESS * (cosine - most)).exp()).sum();
    most + (total / cosines.len() as f32).ln() / SHARPNESS
}

/// Shares of the tiles in one feature, adding up to 1 whether it is there or not.
///
/// `scale` is what the model multiplies cosines by, its `logit_scale`.
///
/// Source: arampacha/CLIP-rsicd, "Find Feature in Image" of its demonstration.
pub fn soft_max(cosines: &[f32], scale: f32) -> Vec<f32> {
    let most = cosines.iter().copied().fold(f32::MIN, f32::max);
    let exponentials: Vec<f32> =
        cosines.iter().map(|cosine| (scale * (cosine - most)).exp()).collect();
    let total: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_for_each_tile() {
        assert_eq!(cosines(&[1.0, 0.0, 0.6, 0.8], &[0.6, 0.8]), [0.6, 1.0]);
    }

    #[test]
    fn evidence_lies_between_mean_and_maximum_and_rises_with_any_tile() {
        let found = evidence(&[0.1, 0.2, 0.6]);
        assert!(found > 0.3 && found < 0.6, "{found}");
        assert!(evidence(&[0.1, 0.3, 0.6]) > found);
        assert!((evidence(&[0.4, 0.4]) - 0.4).abs() < 1e-6);
    }

    #[test]
    fn shares_add_up_to_one_even_where_nothing_fits() {
        let shares = soft_max(&[-0.2, -0.2, -0.1], 100.0);
        assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(shares[2] > 0.99);
    }
}
