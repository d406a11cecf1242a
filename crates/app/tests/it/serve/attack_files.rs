//! Ways to the files of this machine, and files that are not what the index knows.

use std::path::Path;

use image::{ExtendedColorType, ImageEncoder, ImageFormat};

use super::client::Server;
use super::{encoded, id, indexed, rows};
use crate::folder::Folder;

/// The address of a picture.
fn address(folder: &Folder, row: usize) -> (String, std::path::PathBuf) {
    let row = &rows(folder)[row];
    let file = folder.path("data").join(row["image"].as_str().unwrap());
    (format!("/api/pictures/{}", encoded(&id(row)).replace('+', "%20")), file)
}

#[test]
fn no_address_leads_to_a_file() {
    let folder = indexed();
    folder.write("secret.jpg", "secret");
    let server = Server::start(&folder, &[]);
    let absolute = folder.path("secret.jpg").display().to_string();
    for name in [
        "../secret.jpg",
        "..",
        ".",
        "../../etc/passwd",
        "/etc/passwd",
        &absolute,
        "a\0b",
        "a\nb",
        "..\\secret.jpg",
        "%2e%2e/secret.jpg",
        "....//secret.jpg",
        "~",
        "file:///etc/passwd",
        "C:\\",
    ] {
        for form in
            [encoded(name), name.replace('\0', "%00").replace('\n', "%0A"), encoded(&encoded(name))]
        {
            for more in ["/original", "/original?download", "/thumbnail", ""] {
                let answer = server.get(&format!("/api/pictures/{form}{more}"));
                assert!(
                    matches!(answer.status, 400 | 404 | 405),
                    "{form}{more}: {}",
                    answer.status
                );
                assert!(!answer.text().contains("root:"), "{form}");
            }
        }
    }
    for path in [
        "/../etc/passwd",
        "//etc/passwd",
        "/assets/../../secret.jpg",
        "/assets/%2e%2e%2fCargo.toml",
        "/api/uploads/..%2f..%2fCURRENT",
    ] {
        assert!(matches!(server.get(path).status, 400 | 404 | 405), "{path}");
    }
    for bytes in
        ["/api/pictures/%FF%FE/original", "/api/pictures/%/original", "/api/pictures/%zz/thumbnail"]
    {
        assert!(matches!(server.get(bytes).status, 400 | 404), "{bytes}");
    }
}

#[cfg(unix)]
#[test]
fn the_name_of_a_file_is_no_header() {
    let folder = Folder::with_scenes(4, 2);
    folder.init();
    let wrong = "images/a\"; filename=\"evil.html\r\nSet-Cookie: a=b\r\n\r\n<script>.png";
    let mut rows = rows(&folder);
    let right = rows[0]["image"].as_str().unwrap().to_owned();
    fs_err::rename(folder.path("data").join(right), folder.path("data").join(wrong)).unwrap();
    rows[0]["image"] = wrong.into();
    let lines: Vec<String> = rows.iter().map(ToString::to_string).collect();
    folder.write("data/captions.jsonl", lines.join("\n"));
    folder.succeeds(&["index", "data", "--model", "model", "--into", "index"]);
    let server = Server::start(&folder, &[]);
    let (address, file) = address(&folder, 0);
    for how in ["", "?download"] {
        let answer = server.get(&format!("{address}/original{how}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.header("set-cookie").is_none());
        assert_eq!(answer.body, fs_err::read(&file).unwrap());
        let name = answer.header("content-disposition").unwrap();
        assert!(name.contains("filename=\"a__ filename__evil.html__Set-Cookie_ a_b"), "{name}");
        assert!(name.ends_with("%3E.png") && name.is_ascii(), "{name}");
    }
}

#[test]
fn an_original_is_sent_as_a_picture_with_a_plain_name() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let (address, file) = address(&folder, 0);
    let answer = server.get(&format!("{address}/original"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.body, fs_err::read(&file).unwrap(), "upright and web-safe: its own bytes");
    let kind = answer.header("content-type").unwrap();
    assert!(["image/png", "image/jpeg"].contains(&kind), "{kind}");
    assert_eq!(answer.header("content-security-policy"), Some("default-src 'none'; sandbox"));
    assert!(answer.header("content-disposition").unwrap().starts_with("inline; filename=\""));
    let kept = server.get(&format!("{address}/original?download"));
    assert!(kept.header("content-disposition").unwrap().starts_with("attachment; filename=\""));
    let tag = answer.header("etag").unwrap();
    let again = server.request("GET", &format!("{address}/original")).header("If-None-Match", tag);
    let again = server.send(&again);
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(server.get(&format!("{address}/original?as=exe")).failure().1, "unknown_parameter");
}

#[test]
fn thumbnails_have_sizes_and_tags() {
    let folder = Folder::with_scenes(4, 2);
    folder.init();
    let (_, file) = address(&folder, 0);
    image::RgbImage::from_fn(800, 400, |x, _| image::Rgb([(x / 4) as u8, 90, 200]))
        .save_with_format(&file, ImageFormat::Png)
        .unwrap();
    folder.succeeds(&["index", "data", "--model", "model", "--into", "index"]);
    let server = Server::start(&folder, &[]);
    let (address, _) = address(&folder, 0);
    let mut tags = Vec::new();
    for (size, expected) in [
        ("", (384, 192)),
        ("?size=384", (384, 192)),
        ("?size=192", (192, 96)),
        ("?size=96", (96, 48)),
    ] {
        let answer = server.get(&format!("{address}/thumbnail{size}"));
        assert_eq!(answer.header("content-type"), Some("image/jpeg"));
        let picture = image::load_from_memory(&answer.body).unwrap();
        assert_eq!((picture.width(), picture.height()), expected, "{size}");
        let tag = answer.header("etag").unwrap().to_owned();
        let asked = server.request("GET", &format!("{address}/thumbnail{size}"));
        assert_eq!(
            server.send(&asked.header("If-None-Match", &format!("\"x\", {tag}"))).status,
            304
        );
        tags.push(tag);
    }
    assert!(tags[0] == tags[1] && tags[1] != tags[2] && tags[2] != tags[3]);
    for wrong in ["?size=0", "?size=100000", "?size=-1", "?size=96.0"] {
        assert_eq!(server.get(&format!("{address}/thumbnail{wrong}")).failure().1, "bad_parameter");
    }
    assert_eq!(
        server.get("/api/pictures/none/thumbnail").failure(),
        (404, "no_picture".to_owned())
    );
}

/// A picture that is red on the left and blue on the right as it is stored, with an orientation and in a format.
fn turned(path: &Path, format: ImageFormat, orientation: u8) {
    let pixels = image::RgbImage::from_fn(64, 32, |x, _| {
        if x < 32 { image::Rgb([220, 20, 20]) } else { image::Rgb([20, 20, 220]) }
    });
    if format != ImageFormat::Jpeg {
        pixels.save_with_format(path, format).unwrap();
        return;
    }
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new(&mut bytes);
    let exif =
        [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[orientation, 0, 0, 0], &[0; 4]]
            .concat();
    encoder.set_exif_metadata(exif).unwrap();
    encoder.write_image(&pixels, 64, 32, ExtendedColorType::Rgb8).unwrap();
    fs_err::write(path, bytes).unwrap();
}

#[test]
fn an_original_that_browsers_would_show_wrongly_is_encoded_anew() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let (address, file) = address(&folder, 1);
    for (format, orientation, size) in [
        (ImageFormat::Jpeg, 6, (32, 64)),
        (ImageFormat::Jpeg, 1, (64, 32)),
        (ImageFormat::Tiff, 1, (64, 32)),
        (ImageFormat::Bmp, 1, (64, 32)),
    ] {
        turned(&file, format, orientation);
        let stored = fs_err::read(&file).unwrap();
        let answer = server.get(&format!("{address}/original"));
        assert_eq!(answer.header("content-type"), Some("image/jpeg"), "{format:?}");
        let picture =
            image::load_from_memory_with_format(&answer.body, ImageFormat::Jpeg).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), size, "{format:?} {orientation}");
        let first = picture.get_pixel(4, 4).0;
        assert!(first[0] > 180 && first[2] < 60, "{format:?} {orientation}: {first:?}");
        assert_eq!(answer.body == stored, format == ImageFormat::Jpeg && orientation == 1);
        let kept = server.get(&format!("{address}/original?download"));
        assert_eq!(kept.body, stored, "what is kept is the file itself");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_became_something_else_is_not_sent() {
    use std::os::unix::fs::symlink;
    let folder = indexed();
    folder.write("secret.txt", "secret");
    folder.picture("elsewhere.png");
    let server = Server::start(&folder, &[]);
    let (address, file) = address(&folder, 2);
    let outcome = |what: &str| {
        let answer = server.get(&format!("{address}/original"));
        let download = server.get(&format!("{address}/original?download"));
        assert_eq!(answer.status, download.status, "{what}");
        assert!(!answer.text().contains("secret") && !download.text().contains("secret"));
        assert_eq!(server.get(&format!("{address}/thumbnail")).status, 200, "{what}");
        answer.failure()
    };
    let no_original = (404, "no_original".to_owned());
    let no_picture = (415, "no_picture".to_owned());
    fs_err::remove_file(&file).unwrap();
    assert_eq!(outcome("gone"), no_original);
    for (target, what) in [
        ("/etc/passwd", "absolute"),
        ("../../secret.txt", "upwards"),
        ("../../elsewhere.png", "a picture"),
        ("/dev/zero", "device"),
    ] {
        symlink(target, &file).unwrap();
        assert_eq!(outcome(what), no_original, "{what}");
        fs_err::remove_file(&file).unwrap();
    }
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    assert_eq!(outcome("pipe"), no_original);
    fs_err::remove_file(&file).unwrap();
    fs_err::create_dir(&file).unwrap();
    assert_eq!(outcome("folder"), no_original);
    fs_err::remove_dir(&file).unwrap();
    for content in [
        "secret",
        "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "<html><script>alert(1)</script>",
        "",
    ] {
        fs_err::write(&file, content).unwrap();
        assert_eq!(outcome(content), no_picture, "{content}");
    }
    fs_err::write(&file, b"GIF89a<script>alert('secret')</script>").unwrap();
    let polyglot = server.get(&format!("{address}/original"));
    assert!(
        polyglot.status != 200 || polyglot.header("content-type") == Some("image/gif"),
        "{polyglot:?}"
    );
}
