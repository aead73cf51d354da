//! Texts that an image brings along: dpkg's list, copyright files, Python's metadata, licences. The
//! first byte says which.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    match which % 6 {
        0 => sbom::fuzz::dpkg_status(bytes),
        1 => sbom::fuzz::debian_copyright(bytes),
        2 => sbom::fuzz::os_release(bytes),
        3 => sbom::fuzz::python_metadata(bytes),
        4 => sbom::fuzz::python_requirement(bytes),
        _ => sbom::fuzz::licence_expression(bytes),
    }
});
