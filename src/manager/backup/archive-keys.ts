import { Decrypter, Encrypter } from 'age-encryption'
import type { BackupOpening, CreateBackup } from '#contract/backup.ts'
import { BACKUP_KEY_INVALID, BACKUP_NOT_OPENED } from './errors.ts'

/** BACKUP_KEY_INVALID unless it is either a passphrase or recipients. */
export function encrypterFor({
  passphrase,
  recipients,
}: Pick<CreateBackup, 'passphrase' | 'recipients'>): Encrypter {
  if ((passphrase === undefined) === (recipients.length === 0)) {
    throw BACKUP_KEY_INVALID(
      passphrase === undefined ? 'no key is given' : 'a passphrase and recipients are given',
    )
  }
  const encrypter = new Encrypter()
  try {
    if (passphrase !== undefined) {
      encrypter.setPassphrase(passphrase)
    }
    for (const recipient of recipients) {
      encrypter.addRecipient(recipient)
    }
  } catch (error) {
    throw BACKUP_KEY_INVALID((error as Error).message).with({ cause: error })
  }
  return encrypter
}

export function decrypterFor(file: string, { passphrase, identities }: BackupOpening): Decrypter {
  const decrypter = new Decrypter()
  try {
    if (passphrase !== undefined) {
      decrypter.addPassphrase(passphrase)
    }
    for (const identity of identities) {
      decrypter.addIdentity(identity)
    }
  } catch {
    // The cause could quote the key.
    throw BACKUP_NOT_OPENED(file, 'what is given is no identity of age')
  }
  return decrypter
}
