//! Writes the inventory of unpacked layers and both documents: what others' programs are asked to
//! judge, and what is measured.
//!
//! `catalogue OUT LAYER…`: the lowest layer first.

use std::path::PathBuf;
use std::time::Instant;

use model::inventory::{About, BillFormat};
use model::{Digest, ReleaseNumber, Timestamp};
use sbom::{Image, Limits, bill, catalogue};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let out = arguments.next().ok_or("catalogue OUT LAYER…")?;
    let layers: Vec<PathBuf> = arguments.collect();
    let began = Instant::now();
    let image = Image {
        layers: &layers,
        runtime: &[],
    };
    let inventory = catalogue(&image, &Limits::default())?;
    let app = "judged".parse()?;
    let about = About {
        app: &app,
        release: Some(ReleaseNumber::FIRST),
        image: Digest::of(b"judged"),
        created_at: Timestamp::UNIX_EPOCH,
    };
    let (spdx, cyclonedx) = (
        bill(BillFormat::Spdx, &inventory, &about),
        bill(BillFormat::CycloneDx, &inventory, &about),
    );
    let took = began.elapsed();
    std::fs::create_dir_all(&out)?;
    std::fs::write(out.join("inventory.json"), serde_json::to_vec(&inventory)?)?;
    std::fs::write(out.join("spdx.json"), spdx)?;
    std::fs::write(out.join("cyclonedx.json"), cyclonedx)?;
    println!("{}", took.as_secs_f64());
    Ok(())
}
