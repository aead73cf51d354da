libxml.parseXml(t, { noent: true });
