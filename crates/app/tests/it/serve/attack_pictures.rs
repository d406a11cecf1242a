//! Pictures that are not what they seem.

use image::{ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage};
use serde_json::json;

use super::client::{Answer, Server};
use super::{ids, indexed};

fn encoded(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let pixels = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, (x * y) as u8]));
    pixels.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn upload(server: &Server, picture: &[u8]) -> Answer {
    server.send(&server.request("POST", "/api/uploads").allowed().form(&[("image", picture)]))
}

/// A form whose picture says what it is.
fn upload_as(server: &Server, picture: &[u8], kind: &str, name: &str) -> Answer {
    let head = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"image\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n"
    );
    let body = [head.as_bytes(), picture, b"\r\n--edge--\r\n"].concat();
    let request = server.request("POST", "/api/uploads").allowed();
    server.send(&request.body("multipart/form-data; boundary=edge", body))
}

/// A piece of a PNG.
fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let crc = crc32fast::hash(&[&kind[..], data].concat());
    [&(data.len() as u32).to_be_bytes()[..], &kind, data, &crc.to_be_bytes()].concat()
}

/// A PNG that claims to be of this size; its data end at once.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(*b"IHDR", &head),
        chunk(*b"IDAT", b""),
        chunk(*b"IEND", b""),
    ]
    .concat()
}

/// The same JPEG with another size in its frame header.
fn jpeg_of(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = encoded(ImageFormat::Jpeg, 16, 16);
    let frame = bytes.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    bytes
}

#[test]
fn what_would_not_fit_is_refused_by_its_header() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let mut bmp = encoded(ImageFormat::Bmp, 16, 16);
    bmp[18..26].copy_from_slice(&[0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0]);
    let mut gif = encoded(ImageFormat::Gif, 16, 16);
    gif[6..10].copy_from_slice(&[0xFF; 4]);
    for (what, picture) in [
        ("PNG", png_of(50_000, 50_000)),
        ("PNG", png_of(i32::MAX as u32, 1)),
        ("JPEG", jpeg_of(65_000, 65_000)),
        ("BMP", bmp),
        ("GIF", gif),
    ] {
        let answer = upload(&server, &picture);
        assert_eq!(answer.failure(), (413, "too_large".to_owned()), "{what}");
        assert!(answer.text().contains("more than the limit"), "{what}: {}", answer.text());
    }
    assert_eq!(upload(&server, &jpeg_of(4000, 4000)).failure().0, 422, "it lies, but fits");
    assert_eq!(server.get("/healthz").status, 200);
}

/// What an unpacked PNG of this many black pixels is made of: a stream of zeros that is a thousandth as long.
fn zeros(side: u32) -> Vec<u8> {
    let mut png = Vec::new();
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(&vec![0; (side * side) as usize], side, side, ExtendedColorType::L8)
        .unwrap();
    let (mut data, mut at) = (Vec::new(), 8);
    while at < png.len() {
        let length = u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        if &png[at + 4..at + 8] == b"IDAT" {
            data.extend_from_slice(&png[at + 8..at + 8 + length]);
        }
        at += 12 + length;
    }
    data
}

#[test]
fn a_colour_profile_that_grows_without_end_is_not_unpacked() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let small = encoded(ImageFormat::Png, 10, 10);
    let profile = [&b"a\0\0"[..], &zeros(16_000)].concat();
    let (head, rest) = small.split_at(33);
    let bomb = [head, &chunk(*b"iCCP", &profile), rest].concat();
    assert!(bomb.len() < 4_000_000, "{}", bomb.len());
    let before = server.most_memory();
    let status = upload(&server, &bomb).status;
    assert!(matches!(status, 201 | 422), "{status}");
    if let (Some(before), Some(after)) = (before, server.most_memory()) {
        assert!(after < before + (240 << 20), "{} MiB more for 244 MiB", (after - before) >> 20);
    }
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_jpeg_that_says_the_same_again_and_again_is_given_up() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pictures");
    let mut jpeg = fs_err::read(fixtures.join("420-progressive.jpg")).unwrap();
    assert_eq!(upload(&server, &jpeg).status, 201);
    // The first scan tells the means of blocks; it may come again, and says the same then.
    let begin = jpeg.windows(2).position(|two| two == [0xFF, 0xDA]).unwrap();
    let marker = |two: &[u8]| two[0] == 0xFF && two[1] != 0;
    let end = begin + 2 + jpeg[begin + 2..].windows(2).position(marker).unwrap();
    let again = |jpeg: &[u8], times: usize| {
        [&jpeg[..end], &jpeg[begin..end].repeat(times), &jpeg[end..]].concat()
    };
    assert_eq!(upload(&server, &again(&jpeg, 3)).status, 201);
    let refused = |jpeg: &[u8]| {
        let answer = upload(&server, jpeg);
        assert_eq!(answer.failure(), (422, "damaged_picture".to_owned()));
        assert!(answer.text().contains("too many scans"), "{}", answer.text());
    };
    refused(&again(&jpeg, 2_000));
    // A picture that is large, or says so, has to come to the point sooner.
    let frame = jpeg.windows(2).position(|two| two == [0xFF, 0xC2]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x1F, 0x40, 0x1F, 0x40]);
    assert_eq!(upload(&server, &again(&jpeg, 480)).failure().0, 422);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn many_that_send_the_same_at_once_are_served_or_told_to_come_again() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let picture = encoded(ImageFormat::Png, 600, 400);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..48).map(|_| scope.spawn(|| upload(&server, &picture))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 429)));
    assert!(answers.iter().any(|answer| answer.status == 201));
    let kept = fs_err::read_dir(folder.path("index/uploads/queries")).unwrap();
    assert_eq!(kept.count(), 1, "one file, and no half of one");
}

#[test]
fn what_is_damaged_or_no_picture_is_refused_and_not_kept() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    for picture in [
        &svg[..],
        b"<?xml version='1.0'?><svg/>",
        b"<html></html>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"#!/bin/sh",
        b"\x7fELF",
        b"MZ",
        b"II*\0",
        b"\xFF\xD8",
        b"a",
        b"GIF89a=1;alert(1)//",
        b"\0\0\0 ftypavif",
        b"8BPS",
    ] {
        let status = upload(&server, picture).status;
        assert!(matches!(status, 413 | 415 | 422), "{status} {}", String::from_utf8_lossy(picture));
    }
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
        ImageFormat::Gif,
    ] {
        let whole = encoded(format, 40, 40);
        for cut in [whole.len() / 4, whole.len() / 2, whole.len() * 3 / 4] {
            let status = upload(&server, &whole[..cut]).status;
            assert!(matches!(status, 415 | 422), "{format:?} cut at {cut}: {status}");
        }
    }
    let jpeg = encoded(ImageFormat::Jpeg, 16, 16);
    for kind in ["image/svg+xml", "IMAGE/SVG+XML; charset=utf-8", "text/html", "application/pdf"] {
        assert_eq!(upload_as(&server, &jpeg, kind, "a.jpg").failure().0, 415, "{kind}");
    }
    assert_eq!(upload(&server, b"").failure(), (415, "no_picture".to_owned()));
    assert!(!folder.path("index/uploads/queries").exists(), "nothing of it was kept");
    let unmarked = server.request("POST", "/api/uploads").form(&[("image", &jpeg)]);
    assert_eq!(server.send(&unmarked).failure().1, "not_marked");
}

#[test]
fn a_picture_is_kept_under_its_hash_whatever_it_is_called() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    // Two files in one: what is behind the picture is kept with it, and never sent.
    let polyglot =
        [encoded(ImageFormat::Png, 30, 20), b"PK\x03\x04<script>alert(1)</script>".to_vec()]
            .concat();
    let mut names = Vec::new();
    for name in ["../../../evil.html", "/etc/passwd", "a.svg", "C:\\\\a.exe", ""] {
        let answer = upload_as(&server, &polyglot, "image/png", name);
        assert_eq!(answer.status, 201, "{}", answer.text());
        names.push(answer.json()["picture"].as_str().unwrap().to_owned());
    }
    names.dedup();
    assert_eq!(names.len(), 1, "the same bytes have one name");
    let kept = fs_err::read_dir(folder.path("index/uploads/queries")).unwrap();
    let kept: Vec<_> =
        kept.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(kept, names);
    let shown = server.get(&format!("/api/uploads/{}", names[0]));
    assert_eq!((shown.status, shown.header("content-type")), (200, Some("image/jpeg")));
    assert_eq!(shown.header("content-security-policy"), Some("default-src 'none'; sandbox"));
    assert!(!shown.text().contains("<script>"));
    let picture = image::load_from_memory(&shown.body).unwrap();
    assert_eq!((picture.width(), picture.height()), (30, 20));
    for wrong in ["0", "..", &names[0].to_uppercase(), &format!("{}%00", names[0]), &"0".repeat(64)]
    {
        assert_eq!(server.get(&format!("/api/uploads/{wrong}")).status, 404, "{wrong}");
    }
}

#[test]
fn an_added_picture_stays_within_its_index() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let picture = encoded(ImageFormat::Png, 40, 30);
    for wrong in [".", "..", "a\0b", "a\nb"] {
        let form = [("image", &picture[..]), ("caption", b"a boat"), ("id", wrong.as_bytes())];
        let answer = server.send(&server.request("POST", "/api/pictures").allowed().form(&form));
        assert_eq!(answer.failure().0, 422, "{wrong:?}");
    }
    let form = [
        ("image", &picture[..]),
        ("caption", b"<script>alert(1)</script> boat"),
        ("id", b"../../evil.html"),
    ];
    let answer = server.send(&server.request("POST", "/api/pictures").allowed().form(&form));
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["id"], json!("../../evil.html"), "an id is a text and no path");
    assert!(!folder.path("evil.html").exists());
    let kept = fs_err::read_dir(folder.path("index/uploads/pictures")).unwrap();
    let kept: Vec<_> =
        kept.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(
        kept.len() == 1 && kept[0].len() == 68 && kept[0].split('.').next_back() == Some("png"),
        "{kept:?}"
    );
    let at = "/api/pictures/..%2F..%2Fevil.html";
    let shown = server.get(&format!("{at}/original"));
    assert_eq!((shown.status, shown.header("content-type")), (200, Some("image/png")));
    assert_eq!(shown.body, picture);
    let found = server.json("/api/search?q=boat&mode=lexical");
    assert!(ids(&found).contains(&"../../evil.html".to_owned()));
    let page = server.get("/?q=boat&mode=lexical").text();
    assert!(!page.contains("<script>alert"), "{page}");

    // The folder can be copied, and what writes to the index leaves the pictures alone.
    drop(server);
    fs_err::rename(folder.path("index"), folder.path("moved")).unwrap();
    folder.succeeds(&["admin", "verify", "moved"]);
    folder.succeeds(&["admin", "compact", "moved"]);
    folder.succeeds(&["index", "data", "--model", "model", "--into", "moved"]);
    let server =
        Server::spawn(folder.command(&["serve", "--index", "moved", "--addr", "127.0.0.1:0"]));
    assert_eq!(server.get(&format!("{at}/original")).body, picture);
    let gone = server.send(&server.request("DELETE", at).allowed());
    assert_eq!(gone.status, 204);
    assert!(!folder.path("moved/uploads/pictures").join(&kept[0]).exists());
}
