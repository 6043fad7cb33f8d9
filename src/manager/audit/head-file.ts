/** In the data folder: how far the audit log had come. */
export const AUDIT_HEAD_FILE = 'audit-head'
/** Bound into the sealed head: no other value opens as one. */
export const AUDIT_HEAD_PLACE = 'audit/head'
