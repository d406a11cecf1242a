//! The contrastive loss.

use finelens_compute::plain;
use finelens_compute::{Contrastive, Device};

use crate::host::{Host, close};

const WIDTH: usize = 6;

#[test]
fn loss_and_gradients_agree_with_the_twin() {
    check(&[0, 1, 2, 3, 4], &[0, 1, 2, 3, 4]);
    check(&[0, 1, 0, 3, 1], &[0, 1, 0, 3, 1]);
    check(&[7, 1, 0], &[0, 7, 1, 0, 7]);
    check(&[9], &[9]);
}

fn check(image_groups: &[u32], text_groups: &[u32]) {
    let mut host = Host::new(image_groups.len() as u64);
    let images = plain::normalize(&host.random(image_groups.len() * WIDTH), WIDTH);
    let texts = plain::normalize(&host.random(text_groups.len() * WIDTH), WIDTH);
    let scale = 1.3;
    let everything = ((0, image_groups.len()), (0, text_groups.len()));
    let (loss, d_images, d_texts, d_scale) =
        run(&mut host, &images, &texts, (image_groups, text_groups), everything);

    let twin = |images: &[f64], texts: &[f64], scale: f64| {
        plain::contrastive(images, texts, WIDTH, (image_groups, text_groups), scale)
    };
    close("loss", &loss, &[twin(&images, &texts, scale)], 1e-5);
    close(
        "d_images",
        &d_images,
        &plain::gradient(&images, |images| twin(images, &texts, scale)),
        1e-4,
    );
    close("d_texts", &d_texts, &plain::gradient(&texts, |texts| twin(&images, texts, scale)), 1e-4);
    close(
        "d_scale",
        &d_scale,
        &plain::gradient(&[scale], |scale| twin(&images, &texts, scale[0])),
        1e-4,
    );
}

#[test]
fn the_shares_of_two_devices_add_up() {
    let groups: [u32; 5] = [0, 1, 2, 1, 4];
    let mut host = Host::new(3);
    let images = plain::normalize(&host.random(5 * WIDTH), WIDTH);
    let texts = plain::normalize(&host.random(5 * WIDTH), WIDTH);
    let whole = run(&mut host, &images, &texts, (&groups, &groups), ((0, 5), (0, 5)));
    let first = run(&mut host, &images, &texts, (&groups, &groups), ((0, 2), (0, 2)));
    let second = run(&mut host, &images, &texts, (&groups, &groups), ((2, 3), (2, 3)));
    let added = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<_>>();
    close("loss", &added(&first.0, &second.0), &whole.0, 1e-5);
    close("d_images", &added(&first.1, &second.1), &whole.1, 1e-5);
    close("d_texts", &added(&first.2, &second.2), &whole.2, 1e-5);
    close("d_scale", &added(&first.3, &second.3), &whole.3, 1e-5);
}

type Results = (Vec<f64>, Vec<f64>, Vec<f64>, Vec<f64>);

fn run(
    host: &mut Host,
    images: &[f64],
    texts: &[f64],
    groups: (&[u32], &[u32]),
    (image_terms, text_terms): ((usize, usize), (usize, usize)),
) -> Results {
    let op = Contrastive {
        images: groups.0.len(),
        texts: groups.1.len(),
        width: WIDTH,
        image_terms,
        text_terms,
        image_features: host.put(images),
        text_features: host.put(texts),
        image_groups: host.put_ids(groups.0),
        text_groups: host.put_ids(groups.1),
        logit_scale: host.put(&[1.3]),
        loss: host.dirty(1),
        d_image_features: host.dirty(images.len()),
        d_text_features: host.dirty(texts.len()),
        d_logit_scale: host.zeros(1),
    };
    host.device.contrastive(&op);
    (
        host.get(op.loss),
        host.get(op.d_image_features),
        host.get(op.d_text_features),
        host.get(op.d_logit_scale),
    )
}
