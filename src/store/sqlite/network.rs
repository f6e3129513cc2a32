//! Whether a file lies on a network file system, where SQLite's locks and its shared memory cannot be trusted (R13).

use std::path::Path;

/// File systems of other machines, by the names Linux gives them.
const NETWORK: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ncpfs",
    "afs",
    "coda",
    "ceph",
    "9p",
    "glusterfs",
    "lustre",
    "gfs2",
    "ocfs2",
    "beegfs",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.ceph",
    "fuse.s3fs",
    "fuse.rclone",
    "fuse.davfs",
    "davfs",
];

/// The name of the network file system that holds `path`; none where it is on a disk of this machine, or not known.
pub(super) fn network(path: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    network_of(&mounts, &std::fs::canonicalize(path).ok()?)
}

/// As `/proc/self/mountinfo` tells it: `ID PARENT DEV ROOT MOUNTPOINT OPTIONS … - TYPE SOURCE …`.
fn network_of(mounts: &str, path: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let Some((before, after)) = line.split_once(" - ") else { continue };
        let (Some(point), Some(kind)) = (before.split(' ').nth(4), after.split(' ').next()) else { continue };
        let point = unescaped(point);
        // The last one of equals covers the others.
        if path.starts_with(&point) && best.is_none_or(|(n, _)| point.len() >= n) {
            best = Some((point.len(), kind));
        }
    }
    let (_, kind) = best?;
    NETWORK.contains(&kind).then(|| kind.to_string())
}

/// Blanks and the like stand there as `\040`.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after.get(..3).and_then(|n| u8::from_str_radix(n, 8).ok());
        match code {
            Some(c) => out.push(char::from(c)),
            None => out.push('\\'),
        }
        rest = if code.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    out + rest
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MOUNTS: &str = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
        30 22 0:50 / /mnt/share rw - cifs //server/share rw\n\
        31 22 0:51 / /mnt/my\\040disk rw - nfs4 server:/x rw\n\
        32 30 0:52 / /mnt/share/local rw - ext4 /dev/vdb rw\n\
        33 22 0:53 / /mnt/over rw - ext4 /dev/vdc rw\n\
        34 22 0:54 / /mnt/over rw - nfs server:/y rw\n";

    #[test]
    fn the_innermost_mount_decides() {
        let at = |p: &str| network_of(MOUNTS, Path::new(p));
        assert_eq!(at("/data/a.db"), None);
        assert_eq!(at("/mnt/share/a.db").as_deref(), Some("cifs"));
        assert_eq!(at("/mnt/shared/a.db"), None);
        assert_eq!(at("/mnt/my disk/a.db").as_deref(), Some("nfs4"));
        assert_eq!(at("/mnt/share/local/a.db"), None);
        assert_eq!(at("/mnt/over/a.db").as_deref(), Some("nfs"));
    }

    #[test]
    fn this_machines_disk_is_none() {
        assert_eq!(network(&std::env::temp_dir()), None);
    }
}
