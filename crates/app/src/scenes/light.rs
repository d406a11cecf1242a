//! The light over a finished picture.

use super::{
    Scene,
    palette::{Colour, WHITE},
};

impl Scene {
    /// The light of the day: exposure, warmth, haze and the grain of the camera.
    pub(crate) fn develop(&mut self) {
        let warmth = self.dice.spread(0.07);
        let exposure = self.dice.between(0.82, 1.12);
        let haze = self.dice.between(0.0, 0.12);
        let noise = self.noise.other(11);
        self.canvas.adjust(|x, y, colour| {
            let grain =
                1.0 + 0.035 * noise.at(x * 150.0, y * 150.0) + 0.04 * noise.at(x * 5.0, y * 5.0);
            let lit = colour.lit(exposure * grain);
            let warm = Colour { r: lit.r * (1.0 + warmth), b: lit.b * (1.0 - warmth), ..lit };
            warm.mix(WHITE.lit(0.85), haze)
        });
    }
}
