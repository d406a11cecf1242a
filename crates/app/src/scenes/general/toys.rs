//! Houses, vessels, furniture and playthings, all from the side.

use crate::scenes::{
    Scene,
    palette::{BLACK, Colour, WHITE, rgb},
    shape::{Pose, arc},
};
use std::f32::consts::PI;

const WOOD: Colour = rgb(0x7c_5434);
const GLASS: Colour = rgb(0xb8_dcec);
const CREAM: Colour = rgb(0xee_e2c8);

pub(super) fn house(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.block(pose, (-0.36, -0.06), (0.36, 0.5), colour);
    scene.part(pose, &[(-0.46, -0.04), (0.0, -0.46), (0.46, -0.04)], colour.lit(0.62));
    door_and_windows(scene, pose);
}

/// A cream house under a roof of the given colour.
pub(super) fn roofed_house(scene: &mut Scene, pose: Pose, roof: Colour) {
    scene.block(pose, (0.18, -0.44), (0.28, -0.1), rgb(0x8a_5a48));
    scene.block(pose, (-0.36, -0.06), (0.36, 0.5), CREAM);
    scene.part(pose, &[(-0.48, -0.02), (0.0, -0.46), (0.48, -0.02)], roof);
    door_and_windows(scene, pose);
}

fn door_and_windows(scene: &mut Scene, pose: Pose) {
    scene.block(pose, (-0.08, 0.2), (0.08, 0.5), WOOD);
    for side in [-0.22, 0.22] {
        scene.block(pose, (side - 0.09, 0.04), (side + 0.09, 0.2), WHITE);
        scene.block(pose, (side - 0.07, 0.06), (side + 0.07, 0.18), GLASS);
    }
}

pub(super) fn tower(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.block(pose, (-0.24, -0.5), (0.24, 0.5), colour);
    for floor in 0..6 {
        for window in [-0.13, 0.0, 0.13] {
            let v = -0.42 + 0.14 * floor as f32;
            scene.block(pose, (window - 0.045, v), (window + 0.045, v + 0.08), GLASS);
        }
    }
    scene.block(pose, (-0.06, 0.4), (0.06, 0.5), WOOD);
}

pub(super) fn tent(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.part(pose, &[(-0.5, 0.5), (0.0, -0.3), (0.5, 0.5)], colour);
    scene.part(pose, &[(-0.16, 0.5), (0.0, -0.02), (0.16, 0.5)], colour.lit(0.45));
    scene.stick(pose, &[(0.0, -0.3), (0.0, -0.42)], 0.03, WOOD);
}

pub(super) fn air_balloon(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.oval(pose, (0.0, -0.14), (0.72, 0.72), colour);
    scene.part(pose, &[(-0.3, 0.04), (0.3, 0.04), (0.09, 0.3), (-0.09, 0.3)], colour);
    scene.oval(pose, (0.0, -0.14), (0.3, 0.72), colour.mix(WHITE, 0.45));
    scene.block(pose, (-0.1, 0.36), (0.1, 0.5), WOOD);
    for u in [-0.08, 0.08] {
        scene.stick(pose, &[(u, 0.28), (u, 0.38)], 0.015, WOOD);
    }
}

pub(super) fn kite(scene: &mut Scene, pose: Pose, colour: Colour) {
    let tail = [(0.0, 0.2), (0.1, 0.3), (-0.06, 0.4), (0.08, 0.5)];
    scene.stick(pose, &crate::scenes::shape::smooth(&tail), 0.025, BLACK);
    scene.part(pose, &[(0.0, -0.5), (0.3, -0.16), (0.0, 0.22), (-0.3, -0.16)], colour);
    scene.part(pose, &[(0.0, -0.5), (0.3, -0.16), (0.0, -0.16)], colour.lit(0.7));
    scene.part(pose, &[(0.0, 0.22), (-0.3, -0.16), (0.0, -0.16)], colour.lit(0.7));
}

pub(super) fn cup(scene: &mut Scene, pose: Pose, colour: Colour) {
    let handle = arc(pose.at(0.26, 0.1), 0.18 * pose.size, -PI / 2.0, PI / 2.0);
    scene.canvas.line(&handle, 0.08 * pose.size, colour.lit(0.85));
    scene.part(pose, &[(-0.34, -0.25), (0.28, -0.25), (0.22, 0.5), (-0.28, 0.5)], colour);
    scene.oval(pose, (-0.03, -0.25), (0.62, 0.16), colour.lit(0.6));
}

pub(super) fn umbrella(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.stick(pose, &[(0.0, 0.0), (0.0, 0.4), (0.06, 0.47), (0.13, 0.4)], 0.035, WOOD);
    scene.part(pose, &arc((0.0, 0.02), 0.48, PI, 2.0 * PI), colour);
    scene.part(pose, &[(0.0, -0.46), (0.16, 0.02), (-0.16, 0.02)], colour.mix(WHITE, 0.4));
}

pub(super) fn ball(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.dot(pose, (0.0, 0.08), 0.42, colour);
    scene.oval(pose, (0.0, 0.08), (0.3, 0.83), WHITE);
    scene.oval(pose, (0.0, 0.08), (0.12, 0.83), colour);
}

pub(super) fn candle(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.block(pose, (-0.12, -0.16), (0.12, 0.5), colour);
    scene.stick(pose, &[(0.0, -0.16), (0.0, -0.26)], 0.02, BLACK);
    scene.oval(pose, (0.0, -0.35), (0.13, 0.26), rgb(0xf4_a428));
    scene.oval(pose, (0.0, -0.32), (0.06, 0.14), rgb(0xfc_ec80));
}

pub(super) fn bottle(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.part(
        pose,
        &[
            (-0.07, -0.44),
            (0.07, -0.44),
            (0.07, -0.2),
            (0.18, -0.02),
            (0.18, 0.5),
            (-0.18, 0.5),
            (-0.18, -0.02),
            (-0.07, -0.2),
        ],
        colour,
    );
    scene.block(pose, (-0.08, -0.5), (0.08, -0.42), WOOD);
    scene.block(pose, (-0.18, 0.12), (0.18, 0.34), CREAM);
}

pub(super) fn lamp(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.stick(pose, &[(0.0, -0.1), (0.0, 0.44)], 0.05, rgb(0x60_6064));
    scene.oval(pose, (0.0, 0.46), (0.4, 0.09), rgb(0x60_6064));
    scene.part(pose, &[(-0.16, -0.48), (0.16, -0.48), (0.34, -0.08), (-0.34, -0.08)], colour);
    scene.oval(pose, (0.0, -0.07), (0.66, 0.08), rgb(0xfc_f0b0));
}

pub(super) fn chair(scene: &mut Scene, pose: Pose, colour: Colour) {
    for (from, to) in
        [((-0.28, -0.5), (-0.18, 0.5)), ((0.2, 0.1), (0.29, 0.5)), ((-0.28, 0.06), (0.3, 0.18))]
    {
        scene.block(pose, from, to, colour);
    }
    scene.block(pose, (-0.18, -0.46), (-0.12, 0.08), colour.lit(0.75));
}

pub(super) fn barrel(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.block(pose, (-0.36, -0.32), (0.36, 0.42), colour);
    scene.oval(pose, (0.0, 0.42), (0.72, 0.16), colour);
    scene.oval(pose, (0.0, -0.32), (0.72, 0.2), colour.lit(0.72));
    scene.block(pose, (0.12, -0.26), (0.36, 0.44), BLACK.alpha(0.16));
    for v in [-0.08, 0.2] {
        scene.stick(pose, &[(-0.36, v), (0.36, v)], 0.025, BLACK.alpha(0.3));
    }
}

pub(super) fn container(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.block(pose, (-0.5, -0.12), (0.5, 0.5), colour);
    for rib in 0..8 {
        let u = -0.44 + 0.126 * rib as f32;
        scene.stick(pose, &[(u, -0.06), (u, 0.44)], 0.02, BLACK.alpha(0.3));
    }
    scene.block(pose, (-0.5, -0.12), (0.5, -0.07), colour.lit(0.7));
}

pub(super) fn flag(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.stick(pose, &[(-0.3, 0.5), (-0.3, -0.48)], 0.04, WOOD);
    let cloth = [
        (-0.28, -0.46),
        (-0.05, -0.5),
        (0.2, -0.42),
        (0.45, -0.46),
        (0.45, 0.0),
        (0.2, 0.04),
        (-0.05, -0.04),
        (-0.28, 0.0),
    ];
    scene.part(pose, &cloth, colour);
}

pub(super) fn hat(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.part(pose, &[(-0.22, -0.2), (0.22, -0.2), (0.26, 0.4), (-0.26, 0.4)], colour);
    scene.oval(pose, (0.0, 0.4), (0.96, 0.18), colour.lit(0.85));
    scene.part(pose, &[(-0.25, 0.2), (0.25, 0.2), (0.26, 0.34), (-0.26, 0.34)], WHITE.lit(0.9));
}

pub(super) fn book(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.block(pose, (-0.3, -0.4), (0.34, 0.5), CREAM);
    scene.block(pose, (-0.34, -0.44), (0.28, 0.46), colour);
    scene.block(pose, (-0.34, -0.44), (-0.24, 0.46), colour.lit(0.65));
    scene.block(pose, (-0.14, -0.26), (0.2, -0.1), WHITE.lit(0.9));
}
