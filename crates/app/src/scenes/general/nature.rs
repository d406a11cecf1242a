//! Trees, flowers and animals, all from the side.

use crate::scenes::{
    Scene,
    palette::{BLACK, Colour, WHITE, rgb},
    shape::{Pose, arc, star},
};
use std::f32::consts::PI;

const TRUNK: Colour = rgb(0x6a_4a30);
const STALK: Colour = rgb(0x3f_8a3c);

pub(super) fn tree(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.block(pose, (-0.06, 0.05), (0.06, 0.5), TRUNK);
    for (u, v, radius) in [(-0.16, -0.08, 0.2), (0.16, -0.08, 0.2), (0.0, -0.24, 0.24)] {
        scene.dot(pose, (u, v), radius, colour);
    }
    scene.dot(pose, (-0.07, -0.28), 0.1, colour.lit(1.2));
}

pub(super) fn fir(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.block(pose, (-0.05, 0.3), (0.05, 0.5), TRUNK);
    for (top, bottom, reach, shade) in
        [(-0.1, 0.34, 0.34, 0.85), (-0.3, 0.12, 0.27, 1.0), (-0.5, -0.12, 0.19, 1.12)]
    {
        scene.part(pose, &[(0.0, top), (reach, bottom), (-reach, bottom)], colour.lit(shade));
    }
}

pub(super) fn flower(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.stick(pose, &[(0.0, -0.1), (0.02, 0.5)], 0.05, STALK);
    scene.oval(Pose { angle: pose.angle - 0.5, ..pose }, (0.02, 0.32), (0.3, 0.1), STALK);
    for petal in 0..6 {
        let (sin, cos) = (petal as f32 * PI / 3.0).sin_cos();
        scene.dot(pose, (cos * 0.19, -0.2 + sin * 0.19), 0.12, colour);
    }
    scene.dot(pose, (0.0, -0.2), 0.1, rgb(0xf2_c838));
}

pub(super) fn mushroom(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.part(pose, &[(-0.1, 0.0), (0.1, 0.0), (0.15, 0.5), (-0.15, 0.5)], rgb(0xf0_e6d0));
    let cap = arc((0.0, 0.06), 0.44, PI, 2.0 * PI);
    scene.part(pose, &cap, colour);
    for (u, v) in [(-0.2, -0.1), (0.05, -0.24), (0.22, -0.06), (-0.02, -0.04)] {
        scene.dot(pose, (u, v), 0.055, WHITE);
    }
}

pub(super) fn apple(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.dot(pose, (-0.13, 0.1), 0.3, colour);
    scene.dot(pose, (0.13, 0.1), 0.3, colour);
    scene.dot(pose, (-0.2, 0.0), 0.07, WHITE.alpha(0.5));
    scene.stick(pose, &[(0.0, -0.14), (0.05, -0.4)], 0.05, TRUNK);
    scene.oval(Pose { angle: pose.angle - 0.4, ..pose }, (0.3, -0.22), (0.26, 0.12), STALK);
}

pub(super) fn cactus(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.stick(pose, &[(0.0, 0.45), (0.0, -0.4)], 0.18, colour);
    scene.stick(pose, &[(0.0, 0.16), (-0.28, 0.12), (-0.28, -0.14)], 0.12, colour);
    scene.stick(pose, &[(0.0, 0.02), (0.28, -0.02), (0.28, -0.26)], 0.12, colour);
    scene.stick(pose, &[(0.02, 0.4), (0.02, -0.36)], 0.015, WHITE.alpha(0.5));
}

pub(super) fn bird(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.part(pose, &[(-0.25, 0.05), (-0.5, -0.05), (-0.48, 0.15)], colour.lit(0.8));
    scene.oval(pose, (-0.03, 0.06), (0.6, 0.34), colour);
    scene.dot(pose, (0.27, -0.1), 0.14, colour);
    scene.part(pose, &[(0.1, 0.02), (-0.22, -0.36), (-0.16, 0.06)], colour.lit(0.7));
    scene.part(pose, &[(0.38, -0.14), (0.5, -0.07), (0.38, -0.04)], rgb(0xf0_a030));
    scene.dot(pose, (0.3, -0.13), 0.025, BLACK);
}

pub(super) fn moth(scene: &mut Scene, pose: Pose, colour: Colour) {
    for side in [-1.0, 1.0] {
        scene.oval(
            Pose { angle: pose.angle - side * 0.6, ..pose },
            (side * 0.24, -0.04),
            (0.44, 0.34),
            colour,
        );
        scene.oval(
            Pose { angle: pose.angle + side * 0.6, ..pose },
            (side * 0.2, 0.06),
            (0.34, 0.26),
            colour.lit(0.75),
        );
        scene.dot(pose, (side * 0.25, -0.18), 0.06, WHITE);
        scene.stick(pose, &[(0.0, -0.25), (side * 0.1, -0.42)], 0.02, BLACK);
    }
    scene.oval(pose, (0.0, 0.0), (0.08, 0.56), BLACK);
}

pub(super) fn whale(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.part(pose, &[(-0.26, 0.1), (-0.5, -0.16), (-0.44, 0.1), (-0.5, 0.34)], colour.lit(0.85));
    scene.oval(pose, (0.06, 0.1), (0.8, 0.46), colour);
    scene.oval(pose, (0.1, 0.22), (0.6, 0.18), WHITE.alpha(0.6));
    scene.part(pose, &[(-0.02, -0.08), (-0.1, -0.3), (0.14, -0.1)], colour.lit(0.85));
    scene.dot(pose, (0.3, 0.04), 0.04, WHITE);
    scene.dot(pose, (0.31, 0.04), 0.02, BLACK);
}

/// The sun with rays.
pub(super) fn sun(scene: &mut Scene, pose: Pose) {
    scene.canvas.fill(&star(pose, 12, 0.7), rgb(0xf8_c030));
    scene.dot(pose, (0.0, 0.0), 0.66, rgb(0xfc_dc58));
}

/// A cloud.
pub(super) fn cloud(scene: &mut Scene, pose: Pose, colour: Colour) {
    for (u, v, radius) in [
        (-0.28, 0.05, 0.18),
        (0.0, -0.05, 0.25),
        (0.28, 0.05, 0.19),
        (0.12, 0.1, 0.18),
        (-0.12, 0.1, 0.18),
    ] {
        scene.dot(pose, (u, v), radius, colour);
    }
}
