/** What is bound into the sealed key of a backup. */
export function backupPlace(id = ''): string {
  return `system_backups/${id}/identity`
}
