import { tagList } from '../elements/common-elements.ts';
import { identityResource, type IdentityKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { cutPage } from '../page.ts';
import { mergeTags, readName, readTags } from '../parameters.ts';

/** TagRole and TagUser. https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html */
export function tagIdentity(kind: IdentityKind): IamOperation {
  return {
    name: `Tag${kind.name}`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    async run({ form, store }) {
      await store.update((state) => {
        const identity = kind.find(state, readName(form, kind.parameter));
        identity.tags = mergeTags(identity.tags, readTags(form));
      });
      return undefined;
    },
  };
}

/** UntagRole and UntagUser. https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html */
export function untagIdentity(kind: IdentityKind): IamOperation {
  return {
    name: `Untag${kind.name}`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    async run({ form, store }) {
      const keys = form.list('TagKeys');
      await store.update((state) => {
        const identity = kind.find(state, readName(form, kind.parameter));
        identity.tags = identity.tags.filter(({ key }) => !keys.includes(key));
      });
      return undefined;
    },
  };
}

/** ListRoleTags and ListUserTags. https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html */
export function listIdentityTags(kind: IdentityKind): IamOperation {
  return {
    name: `List${kind.name}Tags`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    run({ form, store }) {
      const { tags } = kind.view(store.state, readName(form, kind.parameter));
      const page = cutPage(form, tags, ({ key }) => key);
      return [tagList(page.items), ...page.elements];
    },
  };
}
