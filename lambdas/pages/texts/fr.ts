import type { Texts } from './texts.ts';

const unchanged = 'Rien n’a été modifié.';
const kept = 'L’accès qui existait déjà est conservé.';
const anotherLink = 'Demandez un nouveau lien à la personne qui vous a donné celui-ci, et ouvrez-le.';

export const fr: Texts = {
  messages: {
    connect: {
      title: 'Connecter {provider}',
      what: `On vous demande d’autoriser le courtier de jetons à utiliser un compte chez {provider}. Il renouvellera
        ensuite cet accès de lui-même.`,
      next: `Si vous savez à quoi cela sert, continuez, connectez-vous sur {site} avec le compte voulu et autorisez
        l’accès. Sinon, fermez cette page : rien n’a été modifié.`,
    },
    connected: {
      title: 'Connecté',
      what: 'La connexion {connection} à {provider} est autorisée. Elle sera désormais renouvelée automatiquement.',
      next: 'Vous pouvez fermer cette page.',
    },
    connected_unproven: {
      title: 'Connecté, mais pas encore éprouvé',
      what: `{provider} a autorisé l’accès pour la connexion {connection}, mais n’a envoyé aucun jeton d’accès
        utilisable. Le broker en demande un autre ; d’ici là, la connexion n’en a pas à donner.`,
      next: `Rechargez cette page dans une minute. Si elle affiche encore ceci, dites-le à la personne qui vous a donné
        le lien.`,
    },
    already_connected: {
      title: 'Déjà connecté',
      what: 'Ce lien a été utilisé, et la connexion {connection} à {provider} a été autorisée grâce à lui.',
      next: 'Vous pouvez fermer cette page. Pour vous connecter à nouveau, demandez un nouveau lien.',
    },
    denied: {
      title: 'Non connecté : l’accès a été refusé',
      what: `La connexion {connection} n’a pas été autorisée, car l’accès a été refusé chez {provider}. ${unchanged}`,
      next: 'Si c’était une erreur, rouvrez le même lien tant qu’il est valable, et autorisez l’accès.',
    },
    unknown_link: {
      title: 'Ce lien ne fonctionne pas',
      what: `Il est incomplet, a été modifié ou ne vient pas d’ici, ou sa connexion n’existe plus. ${unchanged}`,
      next: anotherLink,
    },
    link_expired: {
      title: 'Ce lien a expiré',
      what: `La connexion {connection} ne peut plus être autorisée avec lui. ${unchanged}`,
      next: anotherLink,
    },
    link_used: {
      title: 'Ce lien a déjà été utilisé',
      what: `Il a servi à une connexion qui n’a donné aucun accès, ou qui n’est pas terminée. Un lien ne sert qu’une
        fois.`,
      next: `Si vous venez de vous connecter, attendez un instant et rechargez cette page. Sinon : ${anotherLink}`,
    },
    link_over: {
      title: 'Ce lien a été remplacé ou retiré',
      what: `Un lien est valable jusqu’à ce qu’il y en ait un plus récent, qu’il soit retiré ou que la connexion
        {connection} soit modifiée. ${unchanged}`,
      next: anotherLink,
    },
    not_possible: {
      title: 'Cette connexion ne peut pas être autorisée ainsi',
      what: `Les paramètres de la connexion {connection} ne mènent à aucune page d’identification. ${unchanged}`,
      next: 'Dites-le à la personne qui vous a donné le lien : la connexion doit être configurée à nouveau.',
    },
    another_browser: {
      title: 'Cette identification n’a pas commencé dans ce navigateur',
      what: `Elle doit se terminer dans le navigateur où la page du lien a été ouverte, avec les cookies autorisés. La
        réponse du fournisseur n’a pas été utilisée. ${unchanged}`,
      next: `Ouvrez dans ce navigateur le lien que vous avez reçu, et continuez à partir de là. Si vous avez été envoyé
        directement chez le fournisseur, quelqu’un en veut peut-être à votre compte : dites-le à la personne qui
        gère ce courtier.`,
    },
    another_connection: {
      title: 'Cette réponse est pour une autre connexion',
      what: `Une identification est revenue à l’adresse d’une autre connexion que celle pour laquelle elle a commencé.
        La réponse du fournisseur n’a pas été utilisée. ${unchanged}`,
      next: `Dites-le à la personne qui vous a donné le lien : une autre URI de redirection est peut-être enregistrée
        chez le fournisseur, ou l’identification a été manipulée.`,
    },
    another_issuer: {
      title: 'La réponse est venue d’ailleurs',
      what: `Un autre serveur a répondu que celui qui était interrogé pour la connexion {connection}, ou il n’a pas dit
        lequel il est. Sa réponse n’a pas été utilisée. ${unchanged}`,
      next: `Dites-le à la personne qui vous a donné le lien : les paramètres nomment peut-être un mauvais émetteur, ou
        l’identification a été manipulée.`,
    },
    another_region: {
      title: 'Le compte se trouve dans une autre région',
      what: `{provider} garde ce compte ailleurs que là où la connexion {connection} le cherche. ${unchanged}`,
      next: `Demandez à la personne qui vous a donné le lien de configurer la connexion avec "{setting}": "{value}", et
        de vous donner un nouveau lien.`,
    },
    malformed: {
      title: 'La réponse du fournisseur n’a pas de sens',
      what: `La connexion {connection} n’a pas été autorisée. ${unchanged}`,
      next: 'Rouvrez le lien. Si cela n’aide pas, dites-le à la personne qui vous l’a donné.',
    },
    refused: {
      title: 'Le fournisseur a refusé',
      what: `La connexion {connection} n’a pas été autorisée : {provider} a répondu {code}. ${kept}`,
      next: '{advice}',
    },
    refused_without_state: {
      title: 'Le fournisseur a refusé',
      what: `Il a répondu {code}, sans dire de quelle identification il s’agit. ${unchanged}`,
      next: '{advice}',
    },
    no_answer: {
      title: 'Le fournisseur n’a pas répondu',
      what: `La connexion {connection} n’a pas été autorisée ({code}). ${kept}`,
      next: `Attendez un instant. ${anotherLink}`,
    },
    no_refresh_token: {
      title: 'Le fournisseur n’a pas donné de refresh token',
      what: `Sans lui, la connexion {connection} ne pourrait pas être renouvelée ; elle n’a donc pas été modifiée.
        Souvent, il manque un scope comme offline_access.`,
      next: `Dites-le à la personne qui vous a donné le lien : les paramètres doivent demander un scope avec accès hors
        ligne.`,
    },
    changed_meanwhile: {
      title: 'La connexion a été modifiée entre-temps',
      what: `La connexion {connection} a été supprimée ou autorisée autrement pendant que vous vous identifiiez.
        ${unchanged}`,
      next: anotherLink,
    },
    unavailable: {
      title: 'Non connecté : réessayez dans un instant',
      what: `Le courtier n’atteint pas ses propres données en ce moment. ${kept}`,
      next: `Rechargez cette page dans un instant. Si elle dit alors que le lien a été utilisé : ${anotherLink}`,
    },
    failed: {
      title: 'Non connecté : le courtier a échoué',
      what: `L’identification n’a pas pu être enregistrée. ${kept}`,
      next: anotherLink,
    },
  },
  advice: {
    scope: `Dites-le à la personne qui vous a donné le lien : les paramètres demandent un scope que cette application ne
      peut pas avoir.`,
    application: `Dites-le à la personne qui vous a donné le lien : l’application n’est pas enregistrée chez le
      fournisseur comme il le faut pour cette identification.`,
    redirect_uri: `Dites-le à la personne qui vous a donné le lien : l’URI de redirection de cette connexion doit être
      enregistrée telle quelle chez le fournisseur.`,
    later: 'Attendez quelques minutes, puis rouvrez le même lien.',
    other: 'Dites à la personne qui vous a donné le lien ce qui est écrit ici, et demandez-en un nouveau.',
  },
  facts: {
    provider: 'Fournisseur',
    connection: 'Connexion',
    account: 'Compte',
    askedBy: 'Demandé par',
    goodUntil: 'Valable jusqu’au',
  },
  go: 'Continuer vers {site}',
};
