libxml.parseXml(t);
