import { z } from 'zod';
import { rule } from './rule.ts';
import { secretKeyRef } from './shared.ts';

const roleName = rule(
  z
    .string()
    .min(1)
    .max(63)
    .regex(/^[^\x00-\x1f\x7f]+$/),
  {
    cel: "!self.startsWith('pg_') && !(self in ['public', 'none', 'current_role', 'current_user', 'session_user'])",
    js: (name) => !/^(pg_.*|public|none|current_role|current_user|session_user)$/s.test(name),
    message: 'this role name is reserved by PostgreSQL: choose another',
  },
);

/** One database role that the API needs. */
export const role = rule(
  z.object({
    name: roleName.describe('Name of the role, as it is (case matters); at most 63 bytes.'),
    login: z
      .boolean()
      .default(false)
      .describe('Whether one can log in as it: the authenticator can, the roles in tokens cannot.'),
    passwordSecretRef: secretKeyRef
      .optional()
      .describe(
        'Key of a Secret with its password; only with login. The operator computes the SCRAM verifier: the password itself never reaches the server. Absent: a password that is there is left alone.',
      ),
    inherits: z
      .array(roleName)
      .max(32)
      .default([])
      .describe(
        'Roles that it becomes a member of. Memberships that it has beside them are never taken away.',
      )
      .meta({ 'x-kubernetes-list-type': 'set' }),
  }),
  {
    cel: '!has(self.passwordSecretRef) || self.login',
    js: ({ login, passwordSecretRef }) => passwordSecretRef === undefined || login,
    message: 'a password is for a role that can log in: set login: true or remove passwordSecretRef',
  },
);

/** One value that SQL needs. */
export const secret = z.object({
  name: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[A-Za-z0-9][-_.A-Za-z0-9]*$/)
    .describe("Name by which SQL asks for it: pgrst_ledger.secret('<name>'). Unique in the database."),
  secretKeyRef: secretKeyRef.describe('Key of the Secret that holds the value.'),
});
