/**
 * What happens to a file that is there already, unless the same restore made it before it was interrupted: it is
 * replaced; replaced unless size and time of modification are the
 * snapshot's; replaced only when the snapshot's is newer; never touched.
 */
export type OverwriteMode = 'always' | 'if-changed' | 'if-newer' | 'never'
