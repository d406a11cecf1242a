//! Cars, lorries, trains, boats and planes, all from the side.

use crate::scenes::{
    Scene,
    palette::{BLACK, Colour, WHITE, rgb},
    shape::Pose,
};

const GLASS: Colour = rgb(0xb8_dcec);
const TYRE: Colour = rgb(0x26_2628);

fn wheel(scene: &mut Scene, pose: Pose, u: f32, radius: f32) {
    scene.dot(pose, (u, 0.5 - radius), radius, TYRE);
    scene.dot(pose, (u, 0.5 - radius), radius * 0.45, rgb(0xc0_c0c4));
}

pub(super) fn car(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.part(pose, &[(-0.3, 0.12), (-0.18, -0.1), (0.16, -0.1), (0.3, 0.12)], colour);
    scene.part(pose, &[(-0.23, 0.1), (-0.15, -0.05), (-0.02, -0.05), (-0.02, 0.1)], GLASS);
    scene.part(pose, &[(0.02, 0.1), (0.02, -0.05), (0.13, -0.05), (0.23, 0.1)], GLASS);
    scene.part(
        pose,
        &[(-0.48, 0.38), (-0.47, 0.14), (0.44, 0.1), (0.5, 0.2), (0.49, 0.38)],
        colour,
    );
    wheel(scene, pose, -0.27, 0.12);
    wheel(scene, pose, 0.27, 0.12);
}

pub(super) fn lorry(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.block(pose, (-0.5, -0.3), (0.18, 0.34), colour);
    scene.part(
        pose,
        &[(0.2, 0.36), (0.2, -0.08), (0.38, -0.08), (0.5, 0.12), (0.5, 0.36)],
        colour.lit(0.75),
    );
    scene.part(pose, &[(0.28, 0.1), (0.28, -0.02), (0.37, -0.02), (0.44, 0.1)], GLASS);
    scene.block(pose, (-0.5, 0.32), (0.5, 0.38), TYRE);
    for u in [-0.36, -0.1, 0.34] {
        wheel(scene, pose, u, 0.1);
    }
}

pub(super) fn van(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.part(
        pose,
        &[(-0.5, 0.36), (-0.5, -0.22), (0.4, -0.22), (0.5, 0.05), (0.5, 0.36)],
        colour,
    );
    for window in 0..4 {
        let u = -0.44 + 0.22 * window as f32;
        scene.block(pose, (u, -0.14), (u + 0.17, 0.05), GLASS);
    }
    scene.block(pose, (-0.5, 0.16), (0.5, 0.2), WHITE.alpha(0.7));
    wheel(scene, pose, -0.28, 0.11);
    wheel(scene, pose, 0.3, 0.11);
}

pub(super) fn train(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.block(pose, (-0.6, 0.46), (0.6, 0.5), rgb(0x70_6a66));
    for coach in [-0.26, 0.26] {
        scene.block(pose, (coach - 0.24, -0.02), (coach + 0.24, 0.36), colour);
        for window in [-0.15, 0.0, 0.15] {
            scene.block(pose, (coach + window - 0.05, 0.05), (coach + window + 0.05, 0.18), GLASS);
        }
        wheel(scene, pose, coach - 0.13, 0.07);
        wheel(scene, pose, coach + 0.13, 0.07);
    }
    scene.block(pose, (-0.02, 0.28), (0.02, 0.32), BLACK);
}

pub(super) fn sailing_boat(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.stick(pose, &[(0.0, 0.3), (0.0, -0.5)], 0.03, rgb(0x6a_4a30));
    scene.part(pose, &[(0.04, -0.46), (0.04, 0.16), (0.4, 0.16)], colour);
    scene.part(pose, &[(-0.04, -0.34), (-0.04, 0.16), (-0.28, 0.16)], colour.lit(0.85));
    scene.part(pose, &[(-0.45, 0.24), (0.45, 0.24), (0.3, 0.46), (-0.3, 0.46)], rgb(0x86_5630));
}

pub(super) fn ship(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.block(pose, (-0.36, -0.14), (-0.12, 0.16), WHITE);
    scene.block(pose, (-0.3, -0.34), (-0.2, -0.14), colour.lit(0.7));
    for crate_ in 0..3 {
        let u = -0.06 + 0.14 * crate_ as f32;
        scene.block(pose, (u, 0.0), (u + 0.12, 0.16), colour.lit(0.7 + 0.25 * crate_ as f32));
    }
    scene.part(pose, &[(-0.48, 0.16), (0.5, 0.16), (0.38, 0.46), (-0.4, 0.46)], colour);
    scene.block(pose, (-0.41, 0.34), (0.41, 0.38), WHITE.alpha(0.8));
}

pub(super) fn plane(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.part(pose, &[(-0.42, 0.0), (-0.5, -0.26), (-0.4, -0.26), (-0.26, 0.0)], colour.lit(0.85));
    scene.oval(pose, (0.0, 0.03), (1.0, 0.2), colour);
    scene.part(pose, &[(0.08, 0.05), (-0.2, 0.28), (-0.1, 0.28), (0.18, 0.05)], colour.lit(0.7));
    for window in 0..5 {
        scene.dot(pose, (-0.2 + 0.1 * window as f32, 0.0), 0.022, BLACK.alpha(0.6));
    }
    scene.part(pose, &[(0.36, -0.04), (0.44, 0.0), (0.36, 0.02)], GLASS);
}

pub(super) fn rocket(scene: &mut Scene, pose: Pose, colour: Colour) {
    scene.part(pose, &[(-0.1, 0.34), (0.1, 0.34), (0.0, 0.5)], rgb(0xf0_a030));
    scene.part(pose, &[(-0.12, 0.1), (-0.28, 0.38), (0.28, 0.38), (0.12, 0.1)], colour.lit(0.7));
    scene.oval(pose, (0.0, -0.05), (0.3, 0.86), colour);
    scene.dot(pose, (0.0, -0.14), 0.08, WHITE);
    scene.dot(pose, (0.0, -0.14), 0.05, rgb(0x3a_6ab0));
}
