"""Mail domains and mailboxes as data: free providers, disposable ones, reserved ones, and roles.

The free providers are those that send most private mail in Europe, the Americas, Russia, China, Japan, Korea
and India; the disposable ones are the long-lived public services. Neither list can be complete.
"""

from __future__ import annotations


def _texts(text: str) -> frozenset[str]:
    return frozenset(text.split())


FREE = _texts(
    """
    gmail.com googlemail.com outlook.com outlook.de outlook.fr outlook.es outlook.it outlook.pt outlook.jp
    outlook.co.th outlook.com.br outlook.com.au hotmail.com hotmail.co.uk hotmail.de hotmail.fr hotmail.es
    hotmail.it hotmail.nl hotmail.be hotmail.com.br hotmail.com.ar hotmail.com.mx hotmail.se hotmail.no
    hotmail.dk hotmail.ch live.com live.de live.fr live.nl live.co.uk live.it live.be live.se live.no live.dk
    live.ca live.com.au live.com.mx live.cn msn.com passport.com windowslive.com yahoo.com yahoo.co.uk
    yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.ca yahoo.co.in yahoo.in yahoo.co.jp yahoo.com.br yahoo.com.ar
    yahoo.com.mx yahoo.com.au yahoo.com.cn yahoo.cn yahoo.com.hk yahoo.com.tw yahoo.com.sg yahoo.com.ph
    yahoo.com.vn yahoo.co.id yahoo.co.kr yahoo.se yahoo.no yahoo.dk yahoo.gr yahoo.pl yahoo.ro ymail.com
    rocketmail.com aol.com aol.de aol.fr aol.co.uk aim.com icloud.com me.com mac.com mail.com email.com
    usa.com gmx.com gmx.de gmx.net gmx.at gmx.ch gmx.fr gmx.es gmx.us gmx.co.uk web.de freenet.de t-online.de
    arcor.de online.de 1und1.de vodafone.de kabelmail.de posteo.de posteo.net mailbox.org bluewin.ch
    hispeed.ch sunrise.ch aon.at chello.at orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr
    bbox.fr aliceadsl.fr club-internet.fr numericable.fr telefonica.net terra.es ono.com libero.it
    virgilio.it tiscali.it alice.it tin.it fastwebnet.it sapo.pt ziggo.nl kpnmail.nl planet.nl xs4all.nl
    home.nl telenet.be skynet.be btinternet.com btopenworld.com talktalk.net sky.com virginmedia.com
    ntlworld.com blueyonder.co.uk eircom.net comcast.net verizon.net att.net sbcglobal.net bellsouth.net
    cox.net charter.net earthlink.net juno.com shaw.ca rogers.com sympatico.ca telus.net bigpond.com
    optusnet.com.au xtra.co.nz uol.com.br bol.com.br terra.com.br ig.com.br globo.com mail.ru inbox.ru
    bk.ru list.ru internet.ru yandex.ru yandex.com yandex.ua yandex.by yandex.kz ya.ru rambler.ru lenta.ru
    ukr.net i.ua meta.ua tut.by qq.com vip.qq.com foxmail.com 163.com vip.163.com 126.com yeah.net 188.com
    sina.com sina.cn vip.sina.com sohu.com aliyun.com 139.com 189.cn wo.cn 21cn.com tom.com naver.com
    hanmail.net daum.net nate.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp nifty.com
    rediffmail.com sify.com wp.pl o2.pl onet.pl interia.pl op.pl gazeta.pl seznam.cz centrum.cz
    email.cz azet.sk zoznam.sk freemail.hu citromail.hu abv.bg mail.bg protonmail.com protonmail.ch
    proton.me pm.me tutanota.com tutanota.de tuta.io tuta.com fastmail.com fastmail.fm hushmail.com zoho.com
    zohomail.com hey.com inbox.com inbox.lv lycos.com excite.com walla.com walla.co.il mynet.com
    """
)

DISPOSABLE = _texts(
    """
    mailinator.com mailinator.net guerrillamail.com guerrillamail.net guerrillamail.org guerrillamail.de
    guerrillamail.biz grr.la sharklasers.com 10minutemail.com 10minutemail.net 20minutemail.com
    tempmail.com temp-mail.org temp-mail.io tempmail.net tempmail.de tempmailaddress.com tempinbox.com
    tempail.com throwawaymail.com trashmail.com trashmail.de trashmail.net trashmail.org trash-mail.com
    trash-mail.de wegwerfmail.de wegwerfmail.net wegwerfemail.de yopmail.com yopmail.fr yopmail.net
    getnada.com nada.email dispostable.com maildrop.cc mailnesia.com mailcatch.com mintemail.com
    mytemp.email fakeinbox.com fakemail.net getairmail.com spamgourmet.com spam4.me spambog.com
    discard.email discardmail.com emailondeck.com moakt.com mohmal.com jetable.org incognitomail.org
    mailnull.com meltmail.com mailexpire.com mail-temporaire.fr burnermail.io crazymailing.com 1secmail.com
    inboxkitten.com minuteinbox.com
    """
)

RESERVED = _texts(
    """
    example.com example.org example.net test.com test.de test.ru noemail.com nomail.com none.com noone.com
    nowhere.com asdf.com
    """
)
"""Domains that nobody receives mail at (RFC 2606), or that are typed to fill a form."""

ROLES = _texts(
    """
    info information infos office mail email post contact contacts kontakt contacto contato sales vertrieb
    verkauf ventas ventes commercial comercial marketing support help helpdesk service services
    customerservice kundenservice admin administrator administration webmaster postmaster hostmaster abuse
    noreply no-reply donotreply do-not-reply hello hallo hi welcome team staff enquiries enquiry inquiries
    inquiry billing invoice invoices rechnung buchhaltung accounting accounts finance einkauf purchasing
    procurement achats compras hr jobs job career careers karriere bewerbung recruiting recruitment press
    presse media pr reception empfang accueil secretary sekretariat secretariat zentrale verwaltung
    geschaeftsleitung direction gerencia administracion legal it edv dev orders order bestellung shop
    zakaz sale opt buh kadry priemnaya zakupki ofis director
    """
)
"""Mailboxes of a desk, not of a person."""
