import java.io.ByteArrayInputStream;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.mustangproject.validator.ZUGFeRDValidator;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * Asks Mustang about the files of a folder: *.xml and *.pdf. Prints each finding, and last "looked at" and the number of files. It stands
 * apart from Rules because Mustang and phive need different versions of the same libraries.
 */
public class Mustang {
  private static final List<String> findings = new ArrayList<>();

  private static void found(String judge, File f, String what) {
    findings.add(judge + ": " + f.getName() + ": " + what.strip().replaceAll("\\s+", " "));
  }

  public static void main(String[] args) throws Exception {
    File[] files = new File(args[0]).listFiles((d, n) -> n.endsWith(".xml") || n.endsWith(".pdf"));
    Arrays.sort(files);
    for (File f : files) {
      if (f.getName().endsWith(".pdf")) {
        mustang(f, "pdf", "xml");
      } else {
        mustang(f, "xml");
      }
    }
    findings.forEach(System.out::println);
    System.out.println("looked at " + files.length);
  }

  /** The overall verdict of Mustang leaves out its section about the PDF, so each section is read. */
  private static void mustang(File f, String... sections) throws Exception {
    String report = new ZUGFeRDValidator().validate(f.getAbsolutePath());
    Element root = DocumentBuilderFactory.newInstance().newDocumentBuilder()
        .parse(new ByteArrayInputStream(report.getBytes(StandardCharsets.UTF_8))).getDocumentElement();
    for (String section : sections) {
      boolean valid = false;
      NodeList children = root.getChildNodes();
      for (int i = 0; i < children.getLength(); i++) {
        if (children.item(i) instanceof Element e && e.getTagName().equals(section)) {
          NodeList summaries = e.getElementsByTagName("summary");
          valid = summaries.getLength() > 0 && ((Element) summaries.item(summaries.getLength() - 1)).getAttribute("status").equals("valid");
        }
      }
      if (!valid) {
        found("mustang", f, "the section " + section + " is not valid");
      }
    }
    for (String tag : List.of("error", "exception", "fatal", "warning")) {
      NodeList list = root.getElementsByTagName(tag);
      for (int i = 0; i < list.getLength(); i++) {
        found("mustang", f, tag + " " + list.item(i).getTextContent());
      }
    }
  }
}
