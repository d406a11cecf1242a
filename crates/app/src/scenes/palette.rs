//! Colours, and colours that have a name in a caption.
//!
//! Only colours that people would call by that name: a caption must be true to the picture.

/// A colour with opacity, each part in 0..=1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Colour {
    pub(crate) r: f32,
    pub(crate) g: f32,
    pub(crate) b: f32,
    pub(crate) a: f32,
}

/// A colour from its hexadecimal notation.
pub(crate) const fn rgb(hex: u32) -> Colour {
    Colour {
        r: ((hex >> 16) & 255) as f32 / 255.0,
        g: ((hex >> 8) & 255) as f32 / 255.0,
        b: (hex & 255) as f32 / 255.0,
        a: 1.0,
    }
}

pub(crate) const WHITE: Colour = rgb(0x00f4_f4f0);
pub(crate) const BLACK: Colour = rgb(0x0015_1718);

/// A shadow on the ground.
pub(crate) const SHADOW: Colour = Colour { r: 0.05, g: 0.07, b: 0.12, a: 0.45 };

impl Colour {
    /// This colour with the given opacity.
    pub(crate) fn alpha(self, a: f32) -> Self {
        Self { a, ..self }
    }

    /// The colour at the share `t` of the way to `other`; opacity stays.
    pub(crate) fn mix(self, other: Self, t: f32) -> Self {
        let blend = |from: f32, to: f32| from + (to - from) * t;
        Self {
            r: blend(self.r, other.r),
            g: blend(self.g, other.g),
            b: blend(self.b, other.b),
            a: self.a,
        }
    }

    /// Brighter for factors above one, darker below.
    pub(crate) fn lit(self, factor: f32) -> Self {
        Self { r: self.r * factor, g: self.g * factor, b: self.b * factor, a: self.a }
    }
}

/// A colour and the word for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named {
    pub(crate) word: &'static str,
    pub(crate) colour: Colour,
}

const fn named(word: &'static str, hex: u32) -> Named {
    Named { word, colour: rgb(hex) }
}

/// Clear colours, for shapes and toys.
pub(crate) const BRIGHT: &[Named] = &[
    named("red", 0xd6_3a32),
    named("blue", 0x2f_62c4),
    named("green", 0x3c_9a46),
    named("yellow", 0xf0_cb32),
    named("orange", 0xee_8428),
    named("purple", 0x84_48b0),
    named("pink", 0xee_8eb4),
    named("brown", 0x86_5630),
    named("black", 0x1e_1e22),
    named("white", 0xf6_f6f2),
    named("grey", 0x90_9296),
];

/// Roofs of houses.
pub(crate) const ROOFS: &[Named] = &[
    named("red", 0xb4_4a40),
    named("orange", 0xcc_7c40),
    named("grey", 0x86_888e),
    named("white", 0xe4_e4de),
    named("brown", 0x76_523c),
    named("blue", 0x46_72ac),
];

/// Roofs of halls and terminals.
pub(crate) const HALLS: &[Named] = &[
    named("white", 0xe6_e8e6),
    named("grey", 0x9a_9ea2),
    named("blue", 0x3e_74b4),
    named("red", 0xac_4a42),
    named("green", 0x5c_9270),
];

/// Cars, lorries and coaches.
pub(crate) const CARS: &[Named] = &[
    named("white", 0xf0_f0ec),
    named("black", 0x22_2428),
    named("red", 0xc0_342c),
    named("blue", 0x2c_58a8),
    named("grey", 0xa6_aaae),
    named("yellow", 0xe4_be3a),
];

/// Rivers, lakes and seas.
pub(crate) const WATERS: &[Named] = &[
    named("blue", 0x2e_6ea2),
    named("dark blue", 0x1a_3c62),
    named("green", 0x44_7a62),
    named("dark green", 0x22_463c),
    named("brown", 0x7a_684c),
    named("turquoise", 0x3c_aab0),
];

/// Crops and ploughed land.
pub(crate) const CROPS: &[Named] = &[
    named("green", 0x6a_9c48),
    named("dark green", 0x3a_6632),
    named("light green", 0xa2_c070),
    named("yellow", 0xd2_bc58),
    named("brown", 0x8c_6846),
    named("reddish", 0xa8_6448),
];
